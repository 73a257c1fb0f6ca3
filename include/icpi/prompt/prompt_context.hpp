// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/memory_event.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi {

struct PromptState;

/// Everything textual about one agent: its experience, its prompts, the observations imagined in the current episode
/// and what the model has said about them. Pinned in memory. It knows texts and numbers of actions, no user's type.
/// Thread-safety: one object by one thread at a time.
class ICPI_API PromptContext {
 public:
  /// `source` must outlive the context; `key` drives the choice of examples. Throws InvalidArgument when two actions have
  /// the same text, an action or termination is not read back, or texts would not stay apart in prompts (see
  /// check_answer), experience that is there already included.
  PromptContext(PromptSource& source, const PromptOptions& options, TokenCounter count_tokens, RandomKey key);
  /// Environment number `environment`, not 0, of the same agent: it shares experience, prompts, handles and answers with
  /// `with`, and has episodes, policy prompts and streams of its own.
  PromptContext(const PromptContext& with, std::uint64_t environment);
  ~PromptContext();
  PromptContext(const PromptContext&) = delete;
  PromptContext& operator=(const PromptContext&) = delete;

  /// Takes in the actions that its source has gained. Throws as the constructor, when the text of an action has changed, and
  /// where several environments share it; then nothing has changed.
  void grow_actions();

  /// Draws the policy prompts of episode number `episode`, and forgets what was imagined, unless other environments
  /// share it, or answers outlive episodes (AlikeExamples).
  void begin_episode(std::uint64_t episode);

  /// Before the environments of an agent decide together: where several share handles and answers, those of earlier
  /// decisions are forgotten when they have become many, or prompts have forgotten. Handles are valid until then.
  void begin_round();

  /// Begins a decision at an observation of this text; returns its handle. Throws InvalidArgument for texts that would
  /// not stay apart in prompts, take more than half of one, or are not accepted by their own formatter, and changes
  /// nothing then.
  [[nodiscard]] ObservationId observe_text(std::string_view text);

  /// Throws what observe_text() would throw.
  void check_observation_text(std::string_view text) const;

  /// Throws what remember() would throw because of this transition's texts.
  void check_text(const TransitionText& text) const;

  /// Adds the next `count` transitions that arrive at the source. All or nothing: buffer and prompts stay as they are when
  /// a text is refused, or when formatter, token counter or buffer throw.
  void remember(std::size_t count);

  /// Takes in what the buffer has gained otherwise. Throws as remember().
  void update();

  /// Whether there is something to learn of every action, or of every legal one: each was tried. Where all that was seen
  /// ended, as in bandits, prompts that show how things go on stay empty.
  [[nodiscard]] bool ready(LegalActions legal = {}) const;

  /// These actions were legal where a text like this was really seen. All environments know it at once.
  void note_legal_text(std::string_view observation, LegalActions legal);

  /// These are legal where a decision is made: known here at once, and to other environments after note_here().
  void stand_at_text(std::string_view observation, LegalActions legal);

  /// What came of that decision is observed, or abandoned.
  void note_here();

  /// Another environment is asked from now on what is legal.
  void forget_legal();

  /// Everything noted, by text.
  [[nodiscard]] std::vector<SavedLegal> noted_legal() const;

  /// Which actions are legal at an observation of this decision; see LegalSource. Empty: all, as far as is known. Valid
  /// until the next call.
  [[nodiscard]] LegalActions legal(ObservationId observation);

  /// The EnvironmentUnreachable that the environment threw when it was asked what is legal, if any since begin_round(); it
  /// is not asked again before the next one.
  [[nodiscard]] std::exception_ptr legal_failure() const;

  /// How it was known what is legal at observations that were asked about, so far.
  [[nodiscard]] LegalSourceCounts legality() const noexcept;

  /// Trajectories that policy prompts show.
  [[nodiscard]] std::size_t trajectories() const;

  /// Whether the action was ever done at this observation.
  [[nodiscard]] bool tried(ObservationId observation, std::uint32_t action) const;

  /// What came of the action where it was done at this observation.
  [[nodiscard]] OutcomeCounts outcomes(ObservationId observation, std::uint32_t action) const;

  /// Replaces `seen` by the same, each different thing by itself, in the order in which they first came.
  void recall(ObservationId observation, std::uint32_t action, std::vector<SeenOutcome>& seen);

  /// What is known of the action, wherever it was done.
  [[nodiscard]] ActionExperience experience(std::uint32_t action) const;

  /// Which of the agent's environments this is.
  [[nodiscard]] std::uint64_t environment() const noexcept;

  /// The text of an observation of this episode. Valid until the next one is seen or imagined.
  [[nodiscard]] std::string_view text(ObservationId observation) const;

  /// How prompts are made: PromptOptions::description().
  [[nodiscard]] std::string description() const;
  /// How the actions are written, in the environment's order.
  [[nodiscard]] std::vector<std::string> action_texts() const;
  /// A hash of the texts of the first `count` transitions.
  [[nodiscard]] std::uint64_t hash(std::size_t count) const;

  /// Prompts and answers, for the library's own parts, tests and benchmarks.
  [[nodiscard]] PromptState& state() noexcept { return *state_; }
  /// Prompts and answers, for the library's own parts, tests and benchmarks.
  [[nodiscard]] const PromptState& state() const noexcept { return *state_; }

  Costs costs;  ///< of all answers

 private:
  /// The handles of observations and the answers about them begin anew.
  void forget_imagined();

  Owned<PromptState> state_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/prompt_context-inl.hpp"
#endif
