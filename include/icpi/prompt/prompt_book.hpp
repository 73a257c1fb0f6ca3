// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/example_sampler.hpp"
#include "icpi/prompt/known_answers.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/rendered_transitions.hpp"
#include "icpi/prompt/stable_prompt.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi {

/// Working memory for writing prompts; one per thread.
struct PromptScratch {
  ExampleClasses classes;         ///< what may be shown
  ExampleSampler sampler;         ///< draws from it
  SparsePermutation permutation;  ///< draws sub-trajectories
};

/// All prompts of one agent: chooses examples from its buffer as in the paper, section 3, and writes them out.
///
/// Examples of termination queries share the action and are balanced by termination; of reward queries share action
/// and predicted termination and are balanced by reward; of observation queries are non-terminal and share the action;
/// of action queries are contiguous parts of the last c trajectories. Whole examples only; none at all when nothing
/// qualifies. Every text is checked when it comes in, so examples stay apart whatever the formatter writes.
/// Thread-safety: const members may be called concurrently, each thread with its own scratch.
template <Environment Env, PromptFormatter<Env> Formatter, ReplayBuffer<Env> Buffer>
class PromptBook {
 public:
  /// `key` drives the choice of examples in `stable` mode. `buffer` must outlive the book. Throws InvalidArgument when
  /// the formatter's actions, terminations or episode start would not stay apart in prompts; see check().
  PromptBook(const Env& env, const Buffer& buffer, Formatter formatter, PromptOptions options,
             TokenCounter count_tokens, RandomKey key)
      : buffer_(&buffer), formatter_(std::move(formatter)), options_(options), rendered_(count_tokens), key_(key) {
    for (const auto& action : env.actions()) {
      check_answer(actions_.emplace_back(formatter_.action(action)), formatter_.stop(QueryKind::action), "an action");
    }
    const std::string start(formatter_.episode_start());
    start_ = start.substr(std::min(start.find_first_not_of('\n'), start.size()));
    check_lines(start_, "an episode's start");
    start_.insert(0, 1, '\n');
    start_tokens_ = count_tokens(start_);
    world_prompts_.resize(actions_.size() * prompts_per_action);
    for (const auto& text : actions_) know(QueryKind::action, text);
    for (const bool ended : {false, true}) {
      const std::string text(formatter_.termination(ended));
      check_answer(text, formatter_.stop(QueryKind::termination), "a termination");
      know(QueryKind::termination, text);
    }
  }

  /// Throws InvalidArgument when the transition's texts would not stay apart in prompts (a blank line; a stop string
  /// inside an answer), or when its observation alone takes more than half of a prompt. Passes on what the formatter
  /// throws.
  void check(const TransitionOf<Env>& transition) const { (void)write(transition); }

  /// The same for an observation; returns its text.
  [[nodiscard]] std::string check(const typename Env::Observation& observation) const {
    std::string text(formatter_.observation(observation));
    check_answer(text, formatter_.stop(QueryKind::observation), "an observation");
    check_length(text);
    return text;
  }

  /// Whether a predicted observation, stop string included, may be asked about: it passes what check() demands.
  [[nodiscard]] bool admits(std::string_view observation) const {
    return is_whole_lines(observation) && stops_once(observation, formatter_.stop(QueryKind::observation)) &&
           estimated_tokens(observation) <= options_.context_tokens / 2;
  }

  /// Transitions that the buffer is about to gain, for update(). Throws as check(), and what counting tokens throws.
  [[nodiscard]] std::vector<RenderedTransition> render(std::span<const TransitionOf<Env>> arriving) const {
    std::vector<RenderedTransition> result;
    for (const auto& transition : arriving) result.push_back(rendered_.render(write(transition)));
    return result;
  }

  /// Takes in what the buffer has gained, and appends it to the stable world-model prompts. When `gained` is all of it,
  /// nothing is written again and no user code called but the buffer's; else throws as render().
  void update(std::vector<RenderedTransition> gained = {}) {
    if (gained.size() != buffer_->size() - rendered_.size()) {
      gained.clear();
      for (auto id = static_cast<TransitionId>(rendered_.size()); id < buffer_->size(); ++id)
        gained.push_back(rendered_.render(write((*buffer_)[id])));
    }
    for (auto& each : gained) {
      know(QueryKind::reward, each.reward_text);
      rendered_.add(std::move(each));
    }
    for (; judged_trajectories_ < buffer_->trajectory_count(); ++judged_trajectories_) judge(judged_trajectories_);
    if (options_.mode == PromptMode::stable) update_stable();
  }

  /// Draws the stable policy prompts anew. `update()` first.
  void begin_episode(RandomKey key) {
    if (options_.mode != PromptMode::stable) return;
    policy_prompts_.resize(options_.policy_prompts);
    for (std::size_t i = 0; i < policy_prompts_.size(); ++i) {
      RandomStream stream(key.child(i));
      auto& prompt = policy_prompts_[i];
      prompt.text.clear();
      write(QueryKind::action, 0, false, stream, scratch_, prompt.text);
      prompt.identity = new_prefix_identity();
    }
  }

  /// Appends a freshly drawn prompt without its query to `out`.
  void write(QueryKind kind, std::size_t action, bool terminated, RandomStream& stream, PromptScratch& scratch,
             std::string& out) const {
    if (kind == QueryKind::action) return write_trajectories(stream, scratch, out);
    collect(kind, action, terminated, scratch.classes);
    scratch.sampler.start(scratch.classes, balances(kind));
    std::size_t room = this->room();
    while (const auto example = scratch.sampler.next(stream)) {
      const auto& piece = rendered_.piece(kind, example->id);
      if (piece.tokens > this->room()) continue;
      if (piece.tokens > room) break;
      room -= piece.tokens;
      out.append(rendered_.text(piece));
    }
  }

  /// The current stable prompt without its query; action queries choose among the policy prompts by `variant`. The text
  /// stays where it is until update() or begin_episode().
  [[nodiscard]] PromptPrefix stable_prefix(QueryKind kind, std::size_t action, bool terminated,
                                           std::size_t variant) const {
    const auto& prompt = kind == QueryKind::action ? policy_prompts_[variant % policy_prompts_.size()]
                                                   : world_prompts_[slot(kind, action, terminated)];
    return {prompt.identity, prompt.text};
  }

  /// Appends the query that follows a prompt: the observation's lines, with the action's or the episode start.
  void write_query(QueryKind kind, std::string_view observation, std::size_t action, std::string& out) const {
    if (kind == QueryKind::action) out.append(start_);
    out.append(observation);
    if (kind != QueryKind::action) out.append(actions_[action]);
  }

  /// Whether a recorded step has exactly this observation text and action.
  [[nodiscard]] bool tried(std::string_view observation, std::size_t action) const {
    return rendered_.seen(std::string(observation) + actions_[action]);
  }

  /// The answer texts, without the stop string, that are known to be all (terminations, actions) or all so far (rewards,
  /// while few values were seen); empty when the set is not known.
  [[nodiscard]] std::span<const std::string_view> known_answers(QueryKind kind) const {
    return known_answers_[static_cast<std::size_t>(kind)].texts();
  }

  /// How many actions the environment has.
  [[nodiscard]] std::size_t action_count() const noexcept { return actions_.size(); }
  /// How an action is written.
  [[nodiscard]] std::string_view action_text(std::size_t action) const { return actions_[action]; }
  /// What writes and reads.
  [[nodiscard]] const Formatter& formatter() const noexcept { return formatter_; }
  /// How prompts are made.
  [[nodiscard]] const PromptOptions& options() const noexcept { return options_; }
  /// The experience shown.
  [[nodiscard]] const Buffer& buffer() const noexcept { return *buffer_; }

  /// Complete trajectories that policy prompts may show, oldest first: all, or those above the success threshold.
  [[nodiscard]] std::size_t successes() const noexcept { return shown_.size(); }

 private:
  static constexpr std::size_t prompts_per_action = 4;

  [[nodiscard]] std::size_t slot(QueryKind kind, std::size_t action, bool terminated) const {
    const std::size_t first = options_.constraints ? action * prompts_per_action : 0;
    switch (kind) {
      case QueryKind::termination: return first;
      case QueryKind::observation: return first + 1;
      default: return first + 2 + (terminated && options_.constraints ? 1 : 0);
    }
  }

  [[nodiscard]] TransitionText write(const TransitionOf<Env>& transition) const {
    auto text = write_transition<Env>(formatter_, transition);
    check_length(text.head);
    check_length(text.next_observation);
    return text;
  }

  /// Examples of such an observation would not fit beside a query of it.
  void check_length(std::string_view observation) const {
    if (estimated_tokens(observation) <= options_.context_tokens / 2) return;
    throw InvalidArgument(
        fmt::format("formatter: the text {} of an observation has {} bytes, about {} tokens; at most half of "
                    "context_tokens, {}, is allowed",
                    excerpt(observation), observation.size(), estimated_tokens(observation), options_.context_tokens));
  }

  void know(QueryKind kind, std::string_view answer) {
    known_answers_[static_cast<std::size_t>(kind)].add(without_stop(answer, formatter_.stop(kind)));
  }

  [[nodiscard]] bool balances(QueryKind kind) const { return options_.balance && kind != QueryKind::observation; }

  /// Tokens left for examples.
  [[nodiscard]] std::size_t room() const {
    const std::size_t query = rendered_.longest_query() + start_tokens_;
    return options_.context_tokens > query ? options_.context_tokens - query : 0;
  }

  void collect(QueryKind kind, std::size_t action, bool terminated, ExampleClasses& classes) const {
    classes.clear();
    const std::size_t first = options_.constraints ? action : 0;
    const std::size_t last = options_.constraints ? action + 1 : actions_.size();
    for (std::size_t each = first; each < last; ++each) {
      for (const bool ended : {false, true}) {
        if (kind == QueryKind::termination) {
          classes.add(ended ? 1 : 0, buffer_->matching(each, ended));
        } else if (kind == QueryKind::observation) {
          if (!ended || !options_.constraints) classes.add(0, buffer_->matching(each, ended));
        } else if (ended == terminated || !options_.constraints) {
          for (const auto& rewards : buffer_->reward_classes(each, ended)) classes.add(rewards.reward, rewards.members);
        }
      }
    }
  }

  void update_stable() {
    for (std::size_t action = 0; action < (options_.constraints ? actions_.size() : 1); ++action) {
      for (const QueryKind kind : {QueryKind::termination, QueryKind::observation, QueryKind::reward}) {
        for (const bool terminated : {false, true}) {
          if (terminated && (kind != QueryKind::reward || !options_.constraints)) continue;
          const std::size_t number = slot(kind, action, terminated);
          collect(kind, action, terminated, scratch_.classes);
          world_prompts_[number].update(scratch_.classes, balances(kind), room(), options_.rebuild_fraction, rendered_,
                                        kind, key_.child(number), scratch_.sampler);
        }
      }
    }
  }

  void judge(std::size_t trajectory) {
    if (options_.success_threshold) {
      double sum = 0;
      const auto range = buffer_->trajectory(trajectory);
      for (auto id = range.first; id < range.last; ++id) sum += (*buffer_)[id].reward;
      if (!(sum > *options_.success_threshold)) return;
    }
    shown_.push_back(trajectory);
  }

  void write_trajectories(RandomStream& stream, PromptScratch& scratch, std::string& out) const {
    const std::size_t shown = std::min(options_.recency, shown_.size());
    const std::size_t first = shown_.size() - shown;
    const std::size_t longest = longest_part(first);
    std::size_t parts = 0;
    for (std::size_t i = first; i < shown_.size(); ++i) parts += part_count(i, longest);
    scratch.permutation.start(parts);
    std::size_t room = this->room();
    while (scratch.permutation.left() > 0) {
      const auto part = part_number(scratch.permutation.draw(stream), first, longest);
      std::size_t tokens = start_tokens_;
      for (auto id = part.first; id < part.last; ++id) tokens += rendered_.piece(QueryKind::action, id).tokens;
      if (tokens > this->room()) continue;
      if (tokens > room) break;
      room -= tokens;
      out.append(start_);
      for (auto id = part.first; id < part.last; ++id) {
        out.append(rendered_.text(rendered_.piece(QueryKind::action, id)));
      }
    }
  }

  /// Longer parts have no room, or the parts could not be numbered with 32 bits.
  [[nodiscard]] std::size_t longest_part(std::size_t first_shown) const {
    std::size_t steps = 1;
    for (std::size_t i = first_shown; i < shown_.size(); ++i) steps += buffer_->trajectory(shown_[i]).size();
    return std::max<std::size_t>(1, std::min<std::size_t>(room(), std::numeric_limits<std::uint32_t>::max() / steps));
  }

  /// Contiguous parts of a shown trajectory of up to `longest` steps.
  [[nodiscard]] std::size_t part_count(std::size_t shown, std::size_t longest) const {
    const std::size_t length = buffer_->trajectory(shown_[shown]).size();
    longest = std::min(longest, length);
    return longest * (longest + 1) / 2 + (length - longest) * longest;
  }

  [[nodiscard]] TransitionRange part_number(std::size_t number, std::size_t shown, std::size_t longest) const {
    while (number >= part_count(shown, longest)) number -= part_count(shown++, longest);
    const auto range = buffer_->trajectory(shown_[shown]);
    const std::size_t of_full_length = range.size() - std::min(longest, range.size());
    const std::size_t skipped = std::min(number / longest, of_full_length);
    number -= skipped * longest;
    auto first = static_cast<TransitionId>(range.first + skipped);
    for (std::size_t ends = std::min(longest, range.size() - skipped); number >= ends;
         ends = std::min(longest, static_cast<std::size_t>(range.last - first))) {
      number -= ends;
      ++first;
    }
    return {first, static_cast<TransitionId>(first + number + 1)};
  }

  const Buffer* buffer_;
  Formatter formatter_;
  PromptOptions options_;
  RenderedTransitions rendered_;
  RandomKey key_;
  std::vector<std::string> actions_;
  std::string start_;
  std::size_t start_tokens_ = 0;
  std::vector<std::size_t> shown_;
  std::size_t judged_trajectories_ = 0;
  std::vector<StablePrompt> world_prompts_;
  std::vector<StablePrompt> policy_prompts_;
  std::array<KnownAnswers, query_kinds.size()> known_answers_;
  PromptScratch scratch_;
};

}  // namespace icpi
