// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/export.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi {

/// The texts of an environment that never change.
struct ICPI_API ConstantTexts {
  // Defined out of line, so that users' units need not make them.
  explicit ConstantTexts(const StopStrings& answers_end);  ///< no texts yet
  ConstantTexts(const ConstantTexts&);                     ///< a copy
  ConstantTexts(ConstantTexts&&) noexcept;                 ///< takes over
  ConstantTexts& operator=(const ConstantTexts&);          ///< a copy
  ConstantTexts& operator=(ConstantTexts&&) noexcept;      ///< takes over
  ~ConstantTexts();

  /// Adds the text of the next action.
  void add_action(std::string text);

  std::vector<std::string> actions;  ///< in the environment's order
  std::string episode_start;         ///< begins a trajectory
  std::string going_on;              ///< termination answer: the episode has not ended
  std::string ended;                 ///< termination answer: it has
  StopStrings stops;                 ///< where answers end
};

/// What prompts need of an environment, its formatter and its replay buffer: the seam behind which their types are not
/// known. One indirect call for a transition that is rendered, an answer that is read, a look-up of a prompt.
/// Called only on the thread that is inside the agent.
class ICPI_API PromptSource {
 public:
  PromptSource() = default;
  PromptSource(const PromptSource&) = delete;
  PromptSource& operator=(const PromptSource&) = delete;
  virtual ~PromptSource();

  /// What never changes; called once.
  [[nodiscard]] virtual ConstantTexts constant_texts() const = 0;
  /// Writes a recorded transition; see write_transition for what it throws.
  [[nodiscard]] virtual TransitionText write(TransitionId id) const = 0;
  /// Writes transition number `number` of those that arrive; throws as write(). See PromptContext::remember.
  [[nodiscard]] virtual TransitionText write_arriving(std::size_t number) const = 0;
  /// Puts what arrives into the buffer, all or nothing.
  virtual void store_arriving() = 0;

  /// The action of this text as its place among the environment's; texts come without the stop string.
  [[nodiscard]] virtual std::optional<std::uint32_t> read_action(std::string_view text) const = 0;
  /// See PromptFormatter::parse_reward.
  [[nodiscard]] virtual std::optional<double> read_reward(std::string_view text) const = 0;
  /// See PromptFormatter::parse_termination.
  [[nodiscard]] virtual std::optional<bool> read_termination(std::string_view text) const = 0;
  /// See PromptFormatter::accepts_observation.
  [[nodiscard]] virtual bool accepts_observation(std::string_view text) const = 0;

  /// Whether find_legal() may find anything in environment number `environment` of the agent.
  [[nodiscard]] virtual bool limits_actions(std::uint64_t /*environment*/) const { return false; }
  /// Replaces `legal` by the places of the actions that are legal at an observation of this text, stop string included,
  /// in environment number `environment`: ascending, at least one. Says where that is known from; LegalSource::all: it is
  /// not, and `legal` is undefined. Throws EnvironmentUnreachable when that environment cannot be asked any more.
  [[nodiscard]] virtual LegalSource find_legal(std::uint64_t /*environment*/, std::string_view /*observation*/,
                                               std::vector<std::uint32_t>& /*legal*/) const {
    return LegalSource::all;
  }

  /// Transitions that ever came: one past the last id.
  [[nodiscard]] virtual std::size_t recorded() const = 0;
  /// How many of them have left; see ForgetsTransitions.
  [[nodiscard]] virtual std::size_t departed() const = 0;
  /// Whether one of them is still there.
  [[nodiscard]] virtual bool holds(TransitionId id) const = 0;
  /// See ReplayBuffer.
  [[nodiscard]] virtual std::size_t trajectory_count() const = 0;
  /// See ReplayBuffer.
  [[nodiscard]] virtual TransitionIds trajectory(std::size_t number) const = 0;
  /// See ReplayBuffer.
  [[nodiscard]] virtual TransitionIds matching(std::size_t action, bool terminated) const = 0;
  /// See ReplayBuffer.
  [[nodiscard]] virtual std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const = 0;
  /// Sum of the rewards of some transitions.
  [[nodiscard]] virtual double undiscounted_return(TransitionIds ids) const = 0;
};

namespace detail {

/// The ids of `range`, of `size` transitions that are there: a view of `ids`, which is 0, 1, ... and grows where needed. All at
/// once: what was lent before stays valid until there are more transitions.
[[nodiscard]] ICPI_API TransitionIds consecutive_ids(std::vector<TransitionId>& ids, std::size_t size,
                                                     const TransitionRange& range);

}  // namespace detail

/// Throws InvalidArgument, quoting it, when the source's formatter does not accept the text of a real observation: every
/// prediction of the kind would count as invalid.
ICPI_API void check_accepted(const PromptSource& source, const StopStrings& stops, std::string_view observation);

/// The same for the observations and the reward of a real transition.
ICPI_API void check_accepted(const PromptSource& source, const StopStrings& stops, const TransitionText& text);

/// Throws InvalidArgument when there are no actions, two of them have the same text, or an action or termination is not
/// read back: agents would act on misunderstandings. `texts` are the source's. icpi::testing::check_formatter examines a
/// formatter in full.
ICPI_API void check_reads_back(const PromptSource& source, const ConstantTexts& texts);

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/prompt_source-inl.hpp"
#endif
