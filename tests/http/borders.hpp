// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"

namespace icpi_test {

/// A prompt with examples of two lines, a blank line after each, and its borders: as prompts of the agent are.
class BorderedPrompt {
 public:
  void add(std::string_view question, std::string_view answer) {
    const auto at = static_cast<std::uint32_t>(prefix_.size());
    const auto answer_at = at + static_cast<std::uint32_t>(question.size());
    examples_.push_back({at, answer_at, answer_at + static_cast<std::uint32_t>(answer.size())});
    prefix_ += std::string(question) + std::string(answer) + "\n";
  }
  /// So many examples, all different.
  void add_numbered(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(examples_.size());
      add("state " + number + "\ngo\n", "then " + number + "\n");
    }
  }
  /// Asks `query`. Views; valid until something is added.
  [[nodiscard]] icpi::CompletionRequest request(std::string_view query, std::uint64_t identity = 0) const {
    icpi::CompletionRequest request;
    request.prefix = {identity, prefix_};
    request.query = query;
    request.stop = {&newline, 1};
    request.examples = examples_;
    request.question = prefix_.size();
    return request;
  }

 private:
  static constexpr std::string_view newline = "\n";
  std::string prefix_;
  std::vector<icpi::PromptExample> examples_;
};

}  // namespace icpi_test
