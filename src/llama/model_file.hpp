// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

struct gguf_context;

namespace icpi::llama {

/// The beginning of a GGUF file, read to refuse what libllama would end the process for, and to tell files apart.
class ModelFile {
 public:
  /// Throws InvalidArgument for what is no readable GGUF file or says what no model can be. What else is wrong with it is
  /// left to libllama, which says so.
  explicit ModelFile(std::string path);

  /// 16 hexadecimal digits that depend on the file's size, on all that stands before the tensors, and on 16 blocks of 4
  /// KiB of every tensor (all of a smaller one).
  [[nodiscard]] std::string fingerprint() const;

 private:
  struct Free {
    void operator()(gguf_context* header) const noexcept;
  };

  void check_is_gguf() const;
  void check_numbers() const;
  [[nodiscard]] std::string architecture() const;

  std::string path_;
  std::unique_ptr<gguf_context, Free> header_;  ///< null: it cannot be read
};

}  // namespace icpi::llama
