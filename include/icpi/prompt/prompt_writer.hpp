// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/prompt_text.hpp"

namespace icpi {

/// A prompt while it is written, and where its examples stand. Its memory is kept from prompt to prompt, and a piece
/// costs little more than its bytes. Thread-safety: one object by one thread at a time.
class PromptWriter {
 public:
  /// Begins another prompt.
  void clear() noexcept {
    size_ = 0;
    examples_.clear();
  }

  /// Appends a text.
  void add(std::string_view text) {
    if (memory_.size() - size_ < text.size()) grow(text.size());
    if (!text.empty()) std::memcpy(memory_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }

  /// Says where an example stands in what was appended.
  void mark(const PromptExample& example) { examples_.push_back(example); }

  /// Bytes so far: where the next text will begin.
  [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(size_); }
  /// What was appended. Valid until something else is, as examples().
  [[nodiscard]] std::string_view text() const noexcept { return {memory_.data(), size_}; }
  /// The examples in it.
  [[nodiscard]] std::span<const PromptExample> examples() const noexcept { return examples_; }

 private:
  [[gnu::noinline]] void grow(std::size_t more) { memory_.resize(2 * (size_ + more)); }

  std::string memory_;  ///< the text is its beginning
  std::size_t size_ = 0;
  std::vector<PromptExample> examples_;
};

}  // namespace icpi
