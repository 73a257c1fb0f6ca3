// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/random.hpp"
#include "icpi/models/budget_account.hpp"
#include "icpi/prompt/prompted_rollout_model.hpp"

namespace icpi::program {

/// What came, or may come, of a step.
struct StepResult {
  bool terminated = false;
  double reward = 0;
  std::string observation{};  ///< as text; empty where the episode is over

  friend bool operator==(const StepResult&, const StepResult&) = default;
};

/// What steps came to, and which of it was the commonest.
class CommonResults {
 public:
  void add(const StepResult& result);
  /// The commonest termination, and the commonest reward of steps with this termination; no observation.
  [[nodiscard]] StepResult commonest(bool terminated) const;

 private:
  std::array<std::map<double, std::size_t>, 2> rewards_;  ///< by termination
};

/// A step whose result is known, to be predicted from the first episodes of a run.
struct StepToPredict {
  std::size_t row = 0;               ///< of Assessment::rows
  std::uint32_t prompt_context = 0;  ///< which has those episodes
  std::uint32_t action = 0;
  ObservationId observation = 0;
  bool knows_reward = false;        ///< prompts have examples of the action with that termination
  bool knows_next = false;          ///< and of what is seen after it
  StepResult commonest;             ///< see CommonResults, of the true termination
  std::vector<StepResult> results;  ///< all that may come of it; what came in the episode is the first
};

/// Right ones out of all.
struct RightAnswers {
  std::size_t right = 0;
  std::size_t all = 0;
  std::string judged{};  ///< 'r' (right) or 'w' (wrong) for every answer, in the order of the questions

  void add(bool is_right) {
    right += is_right ? 1U : 0U;
    judged += is_right ? 'r' : 'w';
    ++all;
  }
};

/// Predictions after so many episodes, of steps that were among them, or were not.
struct AssessedRow {
  std::size_t episodes = 0;
  bool seen = false;
  std::size_t steps = 0;
  RightAnswers termination, reward, observation;
  RightAnswers commonest_termination, commonest_reward;  ///< of the guess that is always the commonest answer
};

/// What became of the questions of one kind.
struct AssessedKind {
  std::uint64_t asked = 0;
  std::uint64_t readable = 0;
  std::uint64_t unanswered = 0;  ///< for want of a server, of budget or the like
  Usage usage{};
};

/// How well a model predicts an environment from its first episodes.
struct Assessment {
  std::string environment;
  std::string agent;
  std::string model;
  std::vector<AssessedRow> rows;  ///< by number of episodes, ascending; steps that were seen first
  std::array<AssessedKind, all_query_kinds.size()> kinds{};
  std::array<AssessedKind, all_query_kinds.size()> last_kinds{};  ///< after the largest number of episodes alone
  std::size_t places = 0;                                         ///< observations with an action, in all episodes
  std::size_t chancy_places = 0;                                  ///< where that had different results
  std::size_t decisions = 0;  ///< that the embedded model took, to count its questions
  std::array<std::uint64_t, all_query_kinds.size()> decision_questions{};  ///< of all those decisions
  std::string failure;                                                     ///< of the first question without an answer

  /// Questions without an answer.
  [[nodiscard]] std::uint64_t unanswered() const;
  /// What a decision takes of the assessed model: the embedded model's questions at the size of those that were answered;
  /// nullopt: none of a kind was.
  [[nodiscard]] std::optional<Usage> usage_per_decision() const;
  /// Questions of a decision.
  [[nodiscard]] double questions_per_decision() const;
  /// For a person; ends in a newline. `prices` of no token: nothing is said of costs.
  [[nodiscard]] std::string table(const TokenPrices& prices) const;
  /// {"environment": ..., "rows": [...], "answers": {...}, "decision": {...}}, on one line without a newline.
  [[nodiscard]] std::string json(const TokenPrices& prices) const;
};

/// What an answer is compared with: the text of an observation of a prompt context.
using ObservationTexts = std::function<std::string_view(std::uint32_t prompt_context, ObservationId observation)>;

/// What is asked about steps.
struct StepQuestions {
  std::span<const StepToPredict> steps;
  std::span<const QueryKind> kinds;  ///< those of query_kinds that are asked
  RandomKey key;                     ///< of everything random
  std::size_t at_a_time = 1;         ///< questions that are put together
};

/// Puts the questions to the model, which serves the steps' prompt contexts, and adds what it answered. Rewards are asked
/// under the true termination, what is seen next where the step does not end the episode: no question depends on an answer.
/// Between questions that are put together it ends where a signal came, by Interrupted.
void put_questions(PromptedRolloutModel& model, const StepQuestions& asked, const ObservationTexts& text,
                   Assessment& assessment);

}  // namespace icpi::program
