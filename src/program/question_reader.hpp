// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/query_kind.hpp"

namespace icpi::program {

/// Knows the texts of a domain: which question a prompt asks, and what an answer says.
class QuestionReader {
 public:
  QuestionReader() = default;
  QuestionReader(const QuestionReader&) = delete;
  QuestionReader& operator=(const QuestionReader&) = delete;
  virtual ~QuestionReader() = default;

  /// Whether the request ends in an observation and an action of this domain, or in the beginning of an episode.
  [[nodiscard]] virtual bool knows(const CompletionRequest& request) const = 0;
  /// What is asked after the request's examples.
  [[nodiscard]] virtual QueryKind kind(const CompletionRequest& request) = 0;
  /// The answer as the formatter itself would write it, without what ends it; nullopt: it cannot be read. Answers that
  /// say the same are equal then.
  [[nodiscard]] virtual std::optional<std::string> meaning(QueryKind kind, std::string_view answer) const = 0;
};

}  // namespace icpi::program
