// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/experiment/logged_model.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/models/completion_record.hpp"

namespace icpi::detail {

/// Answers that go into a log together, and what keeps the run from going on.
class AnswerList {
 public:
  explicit AnswerList(ModelFailures failures) : failures_(failures) {}

  /// Forgets all.
  void begin();
  /// Adds an answer. An error that is not recorded keeps the run from going on, unless the answer is unwanted.
  void add(const RequestFingerprint& request, const Completion& completion, bool unwanted);
  /// Adds an answer.
  void add(const RequestFingerprint& request, const Scores& scores);
  /// Records them, and then throws ModelFailure if the run cannot go on.
  void end(RunPart& part);

 private:
  [[nodiscard]] bool is_recorded(const CompletionError& error) const;
  void add_item(const JsonLine& item);

  ModelFailures failures_;
  std::string list_;
  CompletionError obstacle_;
};

/// The opposite of adding scores to a list. Throws InvalidArgument.
[[nodiscard]] Scores read_scores(const Json& json);

}  // namespace icpi::detail
