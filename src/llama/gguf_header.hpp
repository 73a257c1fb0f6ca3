// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model_file.hpp"

struct gguf_context;

namespace icpi::llama {

/// What a GGUF file says before its tensors.
class GgufHeader {
 public:
  /// Throws InvalidArgument for numbers that libllama would end the process for, or count wrongly. A header that cannot
  /// be read is left to libllama, which says why.
  explicit GgufHeader(const std::string& path);

  /// See the function of that name; empty where it cannot be read.
  [[nodiscard]] std::vector<FilePart> telling_parts() const;

 private:
  struct Free {
    void operator()(gguf_context* header) const noexcept;
  };

  void check_numbers(const std::string& path) const;
  [[nodiscard]] std::string architecture() const;

  std::unique_ptr<gguf_context, Free> header_;  ///< null: it cannot be read
};

}  // namespace icpi::llama
