// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/random.hpp"
#include "icpi/core/strategy.hpp"

namespace icpi {

/// A question about an imagined step that needs examples. Views, valid during the call.
struct ExampleQuery {
  QueryKind kind = QueryKind::termination;  ///< termination, reward, observation or transition
  bool terminated = false;                  ///< reward questions: the termination that was predicted
  std::size_t action = 0;                   ///< index into the environment's actions
  std::string_view text;                    ///< the question: the observation's lines and the action's
  std::size_t room = 0;                     ///< tokens that the examples may take together
};

/// A recorded transition as an example. Views, valid during the call.
struct ExampleCandidate {
  TransitionId id = 0;        ///< its place in the buffer
  std::string_view question;  ///< its observation and action, written as ExampleQuery::text
  std::string_view text;      ///< question, answer and the blank line after them
  std::size_t tokens = 0;     ///< of `text`
  double outcome = 0;         ///< termination (0 or 1) or reward: what classes are balanced by; 0 for observations
  bool terminated = false;    ///< whole transitions, whose outcome is the reward: whether they ended
};

/// What a prompt shows, as places among the candidates, in their order in the prompt.
struct ExampleChoice {
  std::vector<std::size_t> prefix;  ///< first, and shared: a model keeps what it computed for it
  std::vector<std::size_t> query;   ///< then, for this question alone

  /// Forgets both.
  void clear() noexcept {
    prefix.clear();
    query.clear();
  }
};

/// Chooses the examples of world-model questions. Optional: `check()`.
///
/// Laws: what is random draws from `stream`; places are below candidates.size(), and the tokens of all that is chosen
/// are at most ExampleQuery::room. Called for every question, on the agent's thread; the candidates are those that qualify
/// (PromptOptions::constraints), in the order of their classes.
template <class T>
concept ChoosesExamples =
    std::copyable<T> && DescribesItself<T> &&
    requires(T& strategy, const ExampleQuery& query, std::span<const ExampleCandidate> candidates, RandomStream& stream,
             ExampleChoice& choice) {
      strategy.select(query, candidates, stream, choice);  // select(query, candidates, stream, choice): choice is empty
    };

/// Example selection of the paper (section 3): drawn anew for every question from all that qualify. No two prompts share
/// a prefix.
struct BalancedExamples {
  bool balance = true;  ///< repeat examples of the smaller classes (terminations, rewards)

  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
};

/// One prompt for each kind of question, to which new experience is appended, so that a model keeps what it computed for
/// the prefix. Beyond the paper.
struct AppendOnlyExamples {
  bool balance = true;  ///< repeat examples of the smaller classes (terminations, rewards)
  /// A prompt that no longer fits is drawn anew with this part of the room, so that it can grow again. Above 0, below 1.
  double rebuild_fraction = 0.5;
  /// Policy prompts drawn per episode, used in turn by decisions and the steps of a rollout; 1 to 10000. With a single
  /// one an agent that returns to an observation would act as before, for ever.
  std::size_t policy_prompts = 4;
  /// Whether terminations and rewards of an action are balanced even where equal questions about them have had unequal
  /// answers: a balanced prompt makes every coin look fair.
  bool balance_chance = true;
  /// Posterior sampling: every episode (of the agent's first environment) draws its prompts anew, each example as often as a
  /// Poisson number of mean 1 says, and plans with what the model makes of these. Steps of the running episode are appended once.
  bool bootstrap = false;
  /// New experience enters a prompt once there is this part of what it was drawn from, or anything of a new class, so that a
  /// prompt changes as often as experience multiplies, and not with every step (as UCRL2 replans: Jaksch, Ortner and Auer
  /// 2010). Answers are kept until then, over decisions and episodes. 0, at once and until the episode ends, or more; finite.
  /// At once, too, while nothing was a matter of chance and experience does not recur: then every step is news.
  double growth = 0;

  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

/// The examples most like the question, the most alike last: a few that a small model can copy from. Beyond the paper.
///
/// A question's text is taken apart into numbers, words, and runs of other characters; how unlike two of them are is what
/// their parts cost together. Two numbers cost their difference, at most 1, in units of their range: the smallest power of
/// two that is at least the difference between the largest and the smallest number that examples have behind the same two
/// parts. Other unequal parts, and parts without a partner, cost 1. Parts are paired from the left until two do not match,
/// and from there on from the right.
///
/// Equal examples count as one. Of every class (termination; reward value, while there are at most eight) the most alike is
/// shown. Where the very question was asked before, nothing else is shown than what it was answered: an only answer four times,
/// unequal ones repeated in proportion to how often they were seen, as far as `count` and the room allow. Small models that
/// see other examples beside it count on, or do not repeat themselves, where they should copy. Experience in another order
/// gives the same prompts. Where there is much of it, what is most alike is looked for among some hundred records that are
/// near in one of three orders, and may be missed.
///
/// An answer is kept, over decisions and episodes, until the question's examples change (QueryOptions::deduplicate), and
/// its seed depends on question and examples alone, so environments share answers.
struct AlikeExamples {
  std::size_t count = 6;  ///< examples of a question at most; 1 to 1000
  /// Tokens of a prompt as AppendOnlyExamples keeps it, which stands before them; 0: none. A model keeps what it computed
  /// for it, but every new transition changes it.
  std::size_t stem_tokens = 0;
  std::size_t policy_prompts = 4;  ///< as AppendOnlyExamples::policy_prompts

  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

/// The calls behind ExampleSelection.
struct ExampleSelectionCalls : StrategyCalls {
  /// Which types are strategies of this kind.
  template <class T>
  static constexpr bool accepts = ChoosesExamples<T> || std::same_as<T, BalancedExamples> ||
                                  std::same_as<T, AppendOnlyExamples> || std::same_as<T, AlikeExamples>;

  /// See ChoosesExamples. Not for the library's own: PromptBook draws, appends and looks up for them, without visiting all
  /// candidates for every question.
  virtual void select(const ExampleQuery& query, std::span<const ExampleCandidate> candidates, RandomStream& stream,
                      ExampleChoice& choice) = 0;
  /// A copy of what is held.
  [[nodiscard]] virtual Owned<ExampleSelectionCalls> clone() const = 0;

  /// A strategy of type T.
  template <class T>
  struct Of final : HeldStrategy<ExampleSelectionCalls, Of<T>, T> {
    using HeldStrategy<ExampleSelectionCalls, Of<T>, T>::HeldStrategy;
    void select(const ExampleQuery& query, std::span<const ExampleCandidate> candidates, RandomStream& stream,
                ExampleChoice& choice) override {
      if constexpr (ChoosesExamples<T>) this->strategy.select(query, candidates, stream, choice);
    }
  };
};

/// Any example selection: BalancedExamples, AppendOnlyExamples, AlikeExamples or a user's own.
using ExampleSelection = Strategy<ExampleSelectionCalls>;

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/example_selection-inl.hpp"
#endif
