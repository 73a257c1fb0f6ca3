// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/hash.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/chosen_examples.hpp"
#include "icpi/prompt/example_sampler.hpp"
#include "icpi/prompt/known_answers.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/prompt_writer.hpp"
#include "icpi/prompt/rendered_transitions.hpp"
#include "icpi/prompt/shown_trajectories.hpp"
#include "icpi/prompt/stable_prompt.hpp"
#include "icpi/prompt/trajectory_parts.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi {

/// Working memory for writing prompts; one per thread.
struct PromptScratch {
  ExampleClasses classes;            ///< what may be shown
  ExampleSampler sampler;            ///< draws from it
  SparsePermutation permutation;     ///< draws sub-trajectories
  std::vector<TransitionIds> shown;  ///< trajectories that policy prompts draw from
  PromptWriter prompt;               ///< that was written last
};

/// All prompts of one agent: chooses examples from its buffer as in the paper, section 3, and writes them out.
///
/// Examples of termination queries share the action and are balanced by termination; of reward queries share action
/// and predicted termination and are balanced by reward; of observation queries are non-terminal and share the action;
/// of action queries are contiguous parts of the last c trajectories. Examples of whole transitions, which are asked about
/// in place of the first three where PromptOptions say so, share the action and are balanced by termination, then by
/// reward. Whole examples only; none at all when nothing qualifies. Every text is checked when it comes in, so examples
/// stay apart whatever the formatter writes.
/// Thread-safety: const members may be called concurrently, each thread with its own scratch.
class PromptBook {
 public:
  /// `key` drives the choice of append-only examples. `source` must outlive the book. Throws InvalidArgument when
  /// the formatter's actions, terminations or episode start would not stay apart in prompts; see check_answer.
  PromptBook(const PromptSource& source, PromptOptions options, TokenCounter count_tokens, RandomKey key)
      : PromptBook(source, source.constant_texts(), options, std::move(count_tokens), key) {}
  /// The same for one whose constant texts are at hand.
  PromptBook(const PromptSource& source, ConstantTexts texts, PromptOptions options, TokenCounter count_tokens,
             RandomKey key)
      : source_(&source),
        texts_(std::move(texts)),
        options_(std::move(options)),
        append_only_(options_.examples.get_if<AppendOnlyExamples>()),
        drawn_anew_(options_.examples.get_if<BalancedExamples>()),
        rendered_(count_tokens, whole_transitions()),
        key_(key) {
    for (const auto& text : texts_.actions) check_action(text);
    const auto& start = texts_.episode_start;
    start_ = start.substr(std::min(start.find_first_not_of('\n'), start.size()));
    check_lines(start_, "an episode's start");
    start_.insert(0, 1, '\n');
    start_tokens_ = count_tokens(start_);
    world_prompts_.resize(texts_.actions.size() * prompts_per_action);
    looked_up_.resize(world_prompts_.size());
    for (const auto& text : texts_.actions) know(QueryKind::action, text);
    for (const auto& text : {texts_.going_on, texts_.ended}) {
      check_answer(text, stop(QueryKind::termination), "a termination");
      know(QueryKind::termination, text);
    }
  }

  /// Takes in actions that came after those that are known. Throws InvalidArgument, before anything changes, when a known one
  /// has another text now, or new ones would not stay apart in prompts.
  void check_grown(const ConstantTexts& texts) const {
    for (std::size_t action = 0; action < texts.actions.size(); ++action) {
      check_action(texts.actions[action]);
      if (action < texts_.actions.size() && texts.actions[action] != texts_.actions[action])
        throw InvalidArgument(fmt::format("formatter: the text {} of action {} was {}", excerpt(texts.actions[action]),
                                          action, excerpt(texts_.actions[action])));
    }
  }
  /// The same after check_grown().
  void grow(ConstantTexts texts) {
    const std::size_t before = world_prompts_.size();
    for (std::size_t action = texts_.actions.size(); action < texts.actions.size(); ++action)
      know(QueryKind::action, texts.actions[action]);
    texts_ = std::move(texts);
    world_prompts_.resize(texts_.actions.size() * prompts_per_action);
    looked_up_.resize(world_prompts_.size());
    for (std::size_t number = before; number < world_prompts_.size(); ++number)
      world_prompts_[number].join(world_prompts_[number % prompts_per_action]);
  }

  PromptBook(const PromptBook&) = delete;
  PromptBook& operator=(const PromptBook&) = delete;

  /// Throws InvalidArgument when a transition's observation alone takes more than half of a prompt.
  void check(const TransitionText& text) const {
    check_length(text.head);
    check_length(text.next_observation);
  }

  /// Throws InvalidArgument when the text of an observation would not stay apart in prompts (a blank line, a stop string
  /// inside), or takes more than half of a prompt.
  void check_observation(std::string_view text) const {
    check_answer(text, stop(QueryKind::observation), "an observation");
    check_length(text);
  }

  /// Whether a predicted observation, stop string included, may be asked about: it passes what check() demands.
  [[nodiscard]] bool admits(std::string_view observation) const {
    return is_whole_lines(observation) && stops_once(observation, stop(QueryKind::observation)) &&
           estimated_tokens(observation) <= options_.context_tokens / 2;
  }

  /// Transitions that the buffer is about to gain, for update(). Throws as check(), and what counting tokens throws.
  [[nodiscard]] std::vector<RenderedTransition> render(std::vector<TransitionText> arriving) const {
    std::vector<RenderedTransition> result;
    for (auto& text : arriving) {
      check(text);
      result.push_back(rendered_.render(std::move(text)));
    }
    return result;
  }

  /// Takes in what the buffer has gained, and appends it to the stable world-model prompts; forgets what has left it, and
  /// then draws those prompts anew, as if it had never been there. When `gained` is all that is new, nothing is written
  /// again and no user code called but the buffer's; else throws as render().
  void update(std::vector<RenderedTransition> gained = {}) {
    const std::size_t recorded = source_->recorded();
    if (gained.size() != recorded - rendered_.size()) {
      std::vector<TransitionText> texts;
      for (std::size_t id = rendered_.size(); id < recorded; ++id)
        if (source_->holds(static_cast<TransitionId>(id)))
          texts.push_back(source_->write(static_cast<TransitionId>(id)));
      gained = render(std::move(texts));
    }
    const auto skip_departed = [&] {
      while (rendered_.size() < recorded && !source_->holds(static_cast<TransitionId>(rendered_.size())))
        rendered_.skip();
    };
    for (auto& each : gained) {
      skip_departed();
      know(QueryKind::reward, each.reward_text);
      rendered_.add(std::move(each));
    }
    skip_departed();
    if (departed_ != source_->departed()) forget();
    shown_.update(*source_, options_.trajectories);
    if (append_only()) update_stable();
  }

  /// Draws the stable world-model prompts of an episode anew, where AppendOnlyExamples::bootstrap says so. `update()` first.
  void draw_world_prompts(RandomKey key) {
    if (!append_only() || !append_only_->bootstrap) return;
    for_stable_prompts([&](std::size_t number, QueryKind kind, bool balance) {
      world_prompts_[number].redraw(scratch_.classes, balance, room(), append_only_->rebuild_fraction, rendered_, kind,
                                    key.child(number), scratch_.sampler);
    });
  }

  /// Draws the stable policy prompts of an episode, if there are any. `update()` first.
  void draw_policy_prompts(RandomKey key, std::vector<StablePrompt>& prompts) {
    if (!append_only()) return;
    prompts.resize(append_only_->policy_prompts);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      RandomStream stream(key.child(i));
      auto& prompt = prompts[i];
      prompt.text.clear();
      write(QueryKind::action, 0, false, stream, scratch_, prompt.text);
      const auto examples = scratch_.prompt.examples();
      prompt.examples.assign(examples.begin(), examples.end());
      prompt.identity = new_prefix_identity();
    }
  }

  /// Appends a freshly drawn prompt without its query to `out`, and says in `scratch` where its examples stand. On the
  /// agent's own thread: it looks things up.
  void write(QueryKind kind, std::size_t action, bool terminated, RandomStream& stream, PromptScratch& scratch,
             std::string& out) const {
    scratch.prompt.clear();
    if (kind == QueryKind::action) {
      shown_.find(*source_, scratch.shown);
      write_trajectories(scratch.shown, stream, scratch, scratch.prompt);
    } else {
      collect(kind, action, terminated, scratch.classes);
      write_examples(kind, scratch.classes, stream, scratch, scratch.prompt);
    }
    out.append(scratch.prompt.text());
  }

  /// Looks up, for write_looked_up() on any thread, what a prompt of this kind may show. Once for each kind after
  /// forget_look_ups(), which comes first whenever the buffer may have changed.
  void look_up(QueryKind kind, std::size_t action, bool terminated) {
    auto& found = kind == QueryKind::action ? shown_looked_up_ : looked_up_[slot(kind, action, terminated)].done;
    if (std::exchange(found, true)) return;
    if (kind == QueryKind::action) return shown_.find(*source_, shown_now_);
    collect(kind, action, terminated, looked_up_[slot(kind, action, terminated)].classes);
  }
  /// What look_up() found is of yesterday.
  void forget_look_ups() noexcept {
    shown_looked_up_ = false;
    for (auto& each : looked_up_) each.done = false;
  }
  /// write() for what look_up() has found, into an empty `out`. No user code is called.
  void write_looked_up(QueryKind kind, std::size_t action, bool terminated, RandomStream& stream,
                       PromptScratch& scratch, PromptWriter& out) const {
    if (kind == QueryKind::action) return write_trajectories(shown_now_, stream, scratch, out);
    write_examples(kind, looked_up_[slot(kind, action, terminated)].classes, stream, scratch, out);
  }

  /// Lets a user's selection choose the examples of a question of this text, and writes them into an empty `out`. Returns
  /// those that come first and are shared. On the agent's own thread.
  PromptPrefix write_chosen(QueryKind kind, std::size_t action, bool terminated, std::string_view question,
                            RandomStream& stream, PromptWriter& out) {
    collect(kind, action, terminated, scratch_.classes);
    const ExampleQuery query{kind, terminated, action, question, room()};
    return chosen_.write(slot(kind, action, terminated), options_.examples, query, scratch_.classes, rendered_, stream,
                         out);
  }

  /// The current stable prompt of a world-model query, without the query. Its text stays where it is until update().
  [[nodiscard]] const StablePrompt& stable_prompt(QueryKind kind, std::size_t action, bool terminated) const {
    return world_prompts_[slot(kind, action, terminated)];
  }

  /// Appends the query that follows a prompt: the observation's lines, with the action's or the episode start.
  void write_query(QueryKind kind, std::string_view observation, std::size_t action, std::string& out) const {
    if (kind == QueryKind::action) out.append(start_);
    out.append(observation);
    if (kind != QueryKind::action) out.append(texts_.actions[action]);
  }
  /// Where in such a query the question begins: after the blank line that ends a trajectory.
  [[nodiscard]] static constexpr std::size_t question_in_query(QueryKind kind) noexcept {
    return kind == QueryKind::action ? 1 : 0;
  }

  /// Whether a recorded step has exactly this observation text and action.
  [[nodiscard]] bool tried(std::string_view observation, std::size_t action) const {
    return rendered_.seen(std::string(observation) + texts_.actions[action]);
  }
  /// What came of recorded steps with exactly this observation text and action.
  [[nodiscard]] OutcomeCounts outcomes(std::string_view observation, std::size_t action) const {
    return rendered_.outcomes(std::string(observation) + texts_.actions[action]);
  }

  /// What is known of the action from all recorded steps.
  [[nodiscard]] ActionExperience experience(std::size_t action) const {
    return rendered_.experience(texts_.actions[action]);
  }

  /// Whether one question asks for termination, reward and next observation.
  [[nodiscard]] bool whole_transitions() const noexcept {
    return options_.transition_questions == TransitionQuestions::whole;
  }
  /// Whether world-model prompts are kept, and only grow.
  [[nodiscard]] bool append_only() const noexcept { return append_only_ != nullptr; }
  /// Whether a user's selection chooses the examples of questions of this kind.
  [[nodiscard]] bool chosen(QueryKind kind) const noexcept {
    return append_only_ == nullptr && drawn_anew_ == nullptr && kind != QueryKind::action;
  }

  /// The answer texts, without the stop string, that are known to be all (terminations, actions) or all so far (rewards,
  /// while few values were seen); empty when the set is not known.
  [[nodiscard]] std::span<const std::string_view> known_answers(QueryKind kind) const {
    if (kind == QueryKind::transition) return {};
    return known_answers_[static_cast<std::size_t>(kind)].texts();
  }

  /// How many actions the environment has.
  [[nodiscard]] std::size_t action_count() const noexcept { return texts_.actions.size(); }
  /// How an action is written.
  [[nodiscard]] std::string_view action_text(std::size_t action) const { return texts_.actions[action]; }
  /// The same as an answer: without the stop string.
  [[nodiscard]] std::string_view action_answer(std::size_t action) const {
    return without_stop(texts_.actions[action], stop(QueryKind::action));
  }
  /// Where answers end.
  [[nodiscard]] const StopStrings& stops() const noexcept { return texts_.stops; }
  /// Where answers of this kind end.
  [[nodiscard]] const std::string& stop(QueryKind kind) const noexcept {
    return kind == QueryKind::transition ? end_of_record_ : texts_.stops[kind];
  }
  /// A hash of the texts of the first `count` transitions that are held.
  [[nodiscard]] std::uint64_t hash(std::size_t count) const {
    std::uint64_t hash = detail::fnv1a_basis;
    for (TransitionId id = rendered_.first(); id < rendered_.size() && count > 0; ++id) {
      if (!rendered_.holds(id)) continue;
      for (const QueryKind kind : query_kinds) hash = detail::fnv1a(rendered_.text(rendered_.piece(kind, id)), hash);
      --count;
    }
    return hash;
  }
  /// How prompts are made.
  [[nodiscard]] const PromptOptions& options() const noexcept { return options_; }
  /// What writes, reads and remembers.
  [[nodiscard]] const PromptSource& source() const noexcept { return *source_; }

  /// How many transitions have left, and all that was made of them.
  [[nodiscard]] std::size_t departed() const noexcept { return departed_; }
  /// How many trajectories policy prompts show.
  [[nodiscard]] std::size_t shown_trajectories() const noexcept { return shown_.size(); }

 private:
  static constexpr std::size_t prompts_per_action = 5;
  /// Of a question each, by action; the stream of a whole transition's lies beside them.
  static constexpr std::size_t separate_prompts_per_action = 4;

  [[nodiscard]] std::size_t slot(QueryKind kind, std::size_t action, bool terminated) const {
    const std::size_t first = options_.constraints ? action * prompts_per_action : 0;
    switch (kind) {
      case QueryKind::termination: return first;
      case QueryKind::observation: return first + 1;
      case QueryKind::transition: return first + 4;
      default: return first + 2 + (terminated && options_.constraints ? 1 : 0);
    }
  }

  /// Drives the choice of that stable prompt's examples.
  [[nodiscard]] RandomKey prompt_key(std::size_t slot) const {
    const std::size_t action = slot / prompts_per_action;
    const std::size_t number = slot % prompts_per_action;
    if (number == separate_prompts_per_action) return key_.child(std::uint64_t{1} << 32U | action);
    return key_.child(action * separate_prompts_per_action + number);
  }

  void check_action(std::string_view text) const {
    check_answer(text, stop(QueryKind::action), "an action");
    check_length(text, "an action");
  }

  /// Examples of such an observation would not fit beside a query of it.
  void check_length(std::string_view text, std::string_view what = "an observation") const {
    if (estimated_tokens(text) <= options_.context_tokens / 2) return;
    throw InvalidArgument(fmt::format(
        "formatter: the text {} of {} has {} bytes, about {} tokens; at most half of context_tokens, {}, is "
        "allowed",
        excerpt(text), what, text.size(), estimated_tokens(text), options_.context_tokens));
  }

  /// What has left the buffer leaves everything that was made of it.
  void forget() {
    departed_ = source_->departed();
    rendered_.forget([this](TransitionId id) { return source_->holds(id); });
    shown_.forget();
    for (StablePrompt& prompt : world_prompts_) prompt = {};
    known_answers_[static_cast<std::size_t>(QueryKind::reward)].clear();
    for (TransitionId id = rendered_.first(); id < rendered_.size(); ++id) {
      if (!rendered_.holds(id)) continue;
      const TextPiece& piece = rendered_.piece(QueryKind::reward, id);
      know(QueryKind::reward, rendered_.text(piece).substr(piece.answer, piece.answer_end - piece.answer));
    }
  }

  void know(QueryKind kind, std::string_view answer) {
    known_answers_[static_cast<std::size_t>(kind)].add(without_stop(answer, stop(kind)));
  }

  [[nodiscard]] bool balances(QueryKind kind) const {
    if (kind == QueryKind::observation) return false;
    return append_only_ != nullptr ? append_only_->balance : drawn_anew_ != nullptr && drawn_anew_->balance;
  }

  /// Whether chance decides what is balanced in prompts of this kind, and they are to show how often it does.
  [[nodiscard]] bool stands_back(QueryKind kind, std::size_t action) const {
    if (append_only_->balance_chance) return false;
    const std::size_t first = options_.constraints ? action : 0;
    const std::size_t last = options_.constraints ? action + 1 : action_count();
    for (std::size_t each = first; each < last; ++each) {
      const ActionExperience known = experience(each);
      if (kind != QueryKind::reward && known.chance_termination) return true;
      if (kind != QueryKind::termination && known.chance_reward) return true;
    }
    return false;
  }

  /// Tokens left for examples.
  [[nodiscard]] std::size_t room() const {
    const std::size_t query = rendered_.longest_query() + start_tokens_;
    return options_.context_tokens > query ? options_.context_tokens - query : 0;
  }

  void collect(QueryKind kind, std::size_t action, bool terminated, ExampleClasses& classes) const {
    classes.clear();
    const std::size_t first = options_.constraints ? action : 0;
    const std::size_t last = options_.constraints ? action + 1 : action_count();
    for (std::size_t each = first; each < last; ++each) {
      for (const bool ended : {false, true}) {
        if (kind == QueryKind::transition) {
          for (const auto& rewards : source_->reward_classes(each, ended))
            classes.add(rewards.reward, rewards.members, ended);
        } else if (kind == QueryKind::termination) {
          classes.add(ended ? 1 : 0, source_->matching(each, ended));
        } else if (kind == QueryKind::observation) {
          if (!ended || !options_.constraints) classes.add(0, source_->matching(each, ended));
        } else if (ended == terminated || !options_.constraints) {
          for (const auto& rewards : source_->reward_classes(each, ended)) classes.add(rewards.reward, rewards.members);
        }
      }
    }
  }

  /// Calls for_prompt(number, kind, balance) with the members of every stable world-model prompt in `scratch_`.
  template <class ForPrompt>
  void for_stable_prompts(const ForPrompt& for_prompt) {
    for (std::size_t action = 0; action < (options_.constraints ? action_count() : 1); ++action) {
      for (const QueryKind kind :
           {QueryKind::termination, QueryKind::observation, QueryKind::reward, QueryKind::transition}) {
        if (kind == QueryKind::transition && !whole_transitions()) continue;
        for (const bool terminated : {false, true}) {
          if (terminated && (kind != QueryKind::reward || !options_.constraints)) continue;
          collect(kind, action, terminated, scratch_.classes);
          for_prompt(slot(kind, action, terminated), kind, balances(kind) && !stands_back(kind, action));
        }
      }
    }
  }

  void update_stable() {
    for_stable_prompts([this](std::size_t number, QueryKind kind, bool balance) {
      world_prompts_[number].update(scratch_.classes, balance, room(), append_only_->rebuild_fraction, rendered_, kind,
                                    prompt_key(number), scratch_.sampler);
    });
  }

  /// The loop in which prompts take their time. Not inlined: among its callers' variables it takes a tenth more
  /// instructions.
  [[gnu::noinline]] void write_examples(QueryKind kind, const ExampleClasses& classes, RandomStream& stream,
                                        PromptScratch& scratch, PromptWriter& out) const {
    scratch.sampler.start(classes, balances(kind));
    const std::size_t all = room();
    std::size_t left = all;
    while (const auto example = scratch.sampler.next(stream)) {
      const auto& piece = rendered_.piece(kind, example->id);
      if (piece.tokens > all) continue;
      if (piece.tokens > left) break;
      left -= piece.tokens;
      rendered_.append(piece, out);
    }
  }

  void write_trajectories(std::span<const TransitionIds> shown, RandomStream& stream, PromptScratch& scratch,
                          PromptWriter& out) const {
    const std::size_t all = room();
    const TrajectoryParts parts(shown, all);
    scratch.permutation.start(parts.count());
    std::size_t left = all;
    while (scratch.permutation.left() > 0) {
      const auto part = parts[scratch.permutation.draw(stream)];
      std::size_t tokens = start_tokens_;
      for (const TransitionId id : part) tokens += rendered_.piece(QueryKind::action, id).tokens;
      if (tokens > all) continue;
      if (tokens > left) break;
      left -= tokens;
      write_part(part, out);
    }
  }

  /// The examples of a trajectory follow each other without a gap: what a step tells after its action belongs to the
  /// next question.
  void write_part(TransitionIds part, PromptWriter& out) const {
    std::uint32_t begin = out.size() + 1;  // after the blank line
    out.add(start_);
    for (const TransitionId id : part) {
      const auto& piece = rendered_.piece(QueryKind::action, id);
      const std::uint32_t at = out.size();
      out.add(rendered_.text(piece));
      if (piece.answer_end == 0) continue;
      out.mark({begin, at + piece.answer, at + piece.answer_end});
      begin = at + piece.answer_end;
    }
  }

  /// Examples that a look-up found.
  struct LookUp {
    ExampleClasses classes;
    bool done = false;
  };

  const PromptSource* source_;
  ConstantTexts texts_;
  PromptOptions options_;
  const AppendOnlyExamples* append_only_;  ///< inside options_; null for another selection
  const BalancedExamples* drawn_anew_;     ///< inside options_; null for another selection
  ChosenExamples chosen_;
  RenderedTransitions rendered_;
  RandomKey key_;
  const std::string end_of_record_ = "\n\n";  ///< answers are whole lines, and a blank one follows the last of them
  std::string start_;
  std::size_t start_tokens_ = 0;
  ShownTrajectories shown_;
  std::size_t departed_ = 0;  ///< of the source, as far as is known here
  std::vector<StablePrompt> world_prompts_;
  std::array<KnownAnswers, query_kinds.size()> known_answers_;
  std::vector<LookUp> looked_up_;  ///< by slot
  std::vector<TransitionIds> shown_now_;
  bool shown_looked_up_ = false;
  PromptScratch scratch_;
};

}  // namespace icpi
