// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/random.hpp"
#include "icpi/core/until.hpp"

namespace icpi {

/// Names an observation, real or imagined, during one decision. Given out by the rollout model; within a prompt context equal
/// ids mean equal observations.
using ObservationId = std::uint32_t;

/// A question about an imagined step.
struct Question {
  QueryKind kind = QueryKind::termination;  ///< what is asked; transitions only where the model knows whole ones
  bool terminated = false;                  ///< reward questions: the termination that was predicted
  std::uint32_t prompt_context = 0;         ///< which of the environments that decide together
  std::uint32_t action = 0;                 ///< index into the environment's actions; unused by action questions
  ObservationId observation = 0;            ///< where the step starts
  std::uint32_t sample = 0;   ///< independent answers to one question differ in this (the rollout's index)
  std::uint32_t step = 0;     ///< simulated steps before this one
  std::uint32_t attempt = 0;  ///< 0, then 1, 2, ... when the answer was invalid
  RandomKey key;              ///< of this rollout, step and kind
  bool want_logprob = false;  ///< fill Answer::logprob, if that can be known
  /// Draw at temperature 1, whatever the model's own is: an outcome of what chance decides. As long as experience stays the
  /// same, so does what is drawn.
  bool drawn = false;
};

enum class AnswerStatus : std::uint8_t {
  valid,
  invalid,     ///< the prediction could not be read; may be asked again
  impossible,  ///< there is no answer, and asking again cannot help
  failed       ///< the infrastructure failed: says nothing about the model
};

/// The field that belongs to the question's kind is set when the status is `valid`; to a transition question those of
/// the first `parts` of termination, reward and observation, whatever the status.
struct Answer {
  AnswerStatus status = AnswerStatus::invalid;  ///< whether it can be used
  bool terminated = false;                      ///< to a termination question
  std::uint32_t action = 0;                     ///< to an action question: index into the actions
  ObservationId observation = 0;                ///< to an observation question
  double reward = 0;                            ///< to a reward question
  bool final = false;                           ///< a failure that asking again cannot mend
  double logprob = 0;  ///< natural log-probability of the answer's tokens, when asked for and the model tells; else 0
  std::uint8_t parts = 0;  ///< to a transition question: how many could be read, 0 to 3; a terminal one has 2

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// Answers the questions of imagined steps: by prompts, by looking up recorded steps, by a true simulator.
///
/// Laws: answers[i] depends on questions[i] alone and on the experience as it was when the decision began.
template <class M>
concept RolloutModel = requires(M& model, std::span<const Question> questions, std::span<Answer> answers) {
  model.answer(questions, answers);  // answer(questions, answers): item i of one into i of the other
};

/// A rollout answer that arrived.
struct FinishedAnswer {
  std::uint64_t ticket = 0;  ///< as submitted
  Answer answer;             ///< what came
};

/// A rollout model that may work on questions while others arrive.
///
/// Laws: where asynchronous() is true, every submitted ticket is collected exactly once, after cancel_all() with whatever
/// answer comes first; submit never waits for an answer. A collect that throws loses nothing: the engine cancels and
/// collects what is in flight, unless collect throws eight times in a row; then the model must not hand it over later.
template <class M>
concept AsynchronousRolloutModel = RolloutModel<M> && requires(M& model, const Question& question, std::uint64_t ticket,
                                                               std::span<FinishedAnswer> out) {
  { model.asynchronous() } -> std::same_as<bool>;  // asynchronous(): whether submissions are worth while now
  { model.concurrency() } -> std::convertible_to<std::size_t>;  // concurrency(): submissions to keep in flight, > 0
  model.submit(question, ticket);                               // submit(question, ticket): hand over one question
  { model.collect(out) } -> std::convertible_to<std::size_t>;   // collect(out): waits for at least one answer
  model.cancel_all();                                           // cancel_all(): what is in flight is no longer wanted
};

/// A rollout model that may know which actions are legal at observations, imagined ones too. Its answers to action questions
/// are legal ones then.
///
/// Laws: legal(prompt context, o) is ascending, and empty where nothing is known; it stays the same during a decision, and what it
/// shows is read before the model is asked anything else.
template <class M>
concept KnowsLegalActions =
    RolloutModel<M> && requires(M& model, std::uint32_t prompt_context, ObservationId observation) {
      {
        model.legal(prompt_context, observation)
      } -> std::convertible_to<LegalActions>;  // legal(prompt context, observation): what can be done
    };

/// A rollout model that may answer termination, reward and observation as one: QueryKind::transition. Estimators then ask so
/// in place of the three, where they can.
///
/// Laws: what it says of a prompt context stays the same during a decision. Where it is false, no transition is asked.
template <class M>
concept KnowsWholeTransitions = RolloutModel<M> && requires(M& model, std::uint32_t prompt_context) {
  {
    model.whole_transitions(prompt_context)
  } -> std::same_as<bool>;  // whole_transitions(prompt context): whether one question asks all three
};

/// A rollout model that may take its time, and can be told how much.
///
/// Laws: once the time is up, answer() gives what it has and `failed` for the rest, and collect() may return 0. It holds
/// until the next call of limit().
template <class M>
concept HasTimeLimit = RolloutModel<M> && requires(M& model, const Until& until) {
  model.limit(until);  // limit(until): when work must end
};

}  // namespace icpi
