// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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
#include "icpi/prompt/alike_prompts.hpp"
#include "icpi/prompt/chosen_examples.hpp"
#include "icpi/prompt/drawn_prompts.hpp"
#include "icpi/prompt/known_answers.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/prompt_slots.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/prompt_writer.hpp"
#include "icpi/prompt/rendered_transitions.hpp"
#include "icpi/prompt/stable_prompt.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi {

/// All prompts of one agent: chooses examples from its buffer as in the paper, section 3, and writes them out.
///
/// Examples of termination queries share the action and are balanced by termination; of reward queries share action
/// and predicted termination and are balanced by reward; of observation queries are non-terminal and share the action;
/// of action queries are contiguous parts of the last c trajectories. Examples of whole transitions, which are asked about
/// in place of the first three where PromptOptions say so, share the action and are balanced by termination, then by
/// reward. Whole examples only; none at all when nothing qualifies. Every text is checked when it comes in, so examples
/// stay apart whatever the formatter writes.
/// Thread-safety: const members may be called concurrently, each thread with its own scratch.
class PromptBook : public DrawnPrompts {
 public:
  /// `key` drives the choice of append-only examples. `source` must outlive the book. Throws InvalidArgument when
  /// the formatter's actions, terminations or episode start would not stay apart in prompts; see check_answer.
  PromptBook(const PromptSource& source, PromptOptions options, TokenCounter count_tokens, RandomKey key)
      : PromptBook(source, source.constant_texts(), options, std::move(count_tokens), key) {}
  /// The same for one whose constant texts are at hand.
  PromptBook(const PromptSource& source, ConstantTexts texts, PromptOptions options, TokenCounter count_tokens,
             RandomKey key)
      : DrawnPrompts(source, std::move(texts), std::move(options), count_tokens),
        append_only_(options_.examples.get_if<AppendOnlyExamples>()),
        alike_(options_.examples.get_if<AlikeExamples>()),
        alike_prompts_(source, rendered_, slots_),
        key_(key) {
    const auto* const drawn_anew = options_.examples.get_if<BalancedExamples>();
    own_selection_ = append_only_ == nullptr && alike_ == nullptr && drawn_anew == nullptr;
    if (append_only_ != nullptr) kept_ = *append_only_;
    if (alike_ != nullptr)
      kept_ = AppendOnlyExamples{.rebuild_fraction = 0.8, .policy_prompts = alike_->policy_prompts};
    balance_ = drawn_anew != nullptr ? drawn_anew->balance : kept_ && kept_->balance;
    for (const auto& text : texts_.actions) check_action(text);
    const auto& start = texts_.episode_start;
    start_ = start.substr(std::min(start.find_first_not_of('\n'), start.size()));
    check_lines(start_, "an episode's start");
    start_.insert(0, 1, '\n');
    start_tokens_ = count_tokens(start_);
    begin_with_task(count_tokens);
    add_world_prompts();
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
    add_world_prompts();
    for (std::size_t number = before; number < world_prompts_.size(); ++number)
      world_prompts_[number].join(world_prompts_[number % PromptSlots::per_action]);
  }

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
    if (keeps_world_prompts()) update_stable();
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
    if (!kept_) return;
    prompts.resize(kept_->policy_prompts);
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

  /// Lets a user's selection choose the examples of a question of this text, and writes them into an empty `out`. Returns
  /// those that come first and are shared. On the agent's own thread.
  PromptPrefix write_chosen(QueryKind kind, std::size_t action, bool terminated, std::string_view question,
                            RandomStream& stream, PromptWriter& out) {
    collect(kind, action, terminated, scratch_.classes);
    const ExampleQuery query{kind, terminated, action, question, room()};
    out.add(task_);
    return chosen_.write(slots_(kind, action, terminated), options_.examples, query, scratch_.classes, rendered_,
                         stream, out);
  }

  /// Says which examples a question of this text has by likeness, and which they are where that had to be found out;
  /// alike(kind) must hold. On the agent's own thread.
  void identify_alike(QueryKind kind, std::size_t action, bool terminated, std::string_view question,
                      AlikePrompt& prompt) {
    alike_prompts_.identify(alike_query(kind, action, terminated, question), action_count(), alike_->count, prompt);
  }
  /// The same, and which they are.
  void choose_alike(QueryKind kind, std::size_t action, bool terminated, std::string_view question,
                    AlikePrompt& prompt) {
    alike_prompts_.choose(alike_query(kind, action, terminated, question), action_count(), alike_->count, prompt);
  }
  /// Writes the stem and what was chosen into an empty `out`. Returns the stem, which prompts of the kind share; the view is
  /// one of `out`.
  PromptPrefix write_alike(QueryKind kind, std::size_t action, bool terminated, const AlikePrompt& prompt,
                           PromptWriter& out) const {
    const StablePrompt& stem = stable_prompt(kind, action, terminated);
    out.add(stem.text);
    for (const PromptExample& each : stem.examples) out.mark(each);
    for (const TransitionId id : prompt.shown) rendered_.append(rendered_.piece(kind, id), out);
    return {stem.identity, out.text().substr(0, stem.text.size())};
  }

  /// The current stable prompt of a world-model query, without the query: where examples are chosen by likeness, the stem.
  /// Its text stays where it is until update().
  [[nodiscard]] const StablePrompt& stable_prompt(QueryKind kind, std::size_t action, bool terminated) const {
    return world_prompts_[slots_(kind, action, terminated)];
  }

  /// Whether a recorded step has exactly this observation text and action.
  [[nodiscard]] bool tried(std::string_view observation, std::size_t action) const {
    return rendered_.seen(std::string(observation) + texts_.actions[action]);
  }
  /// What came of recorded steps with exactly this observation text and action.
  [[nodiscard]] OutcomeCounts outcomes(std::string_view observation, std::size_t action) const {
    return rendered_.outcomes(std::string(observation) + texts_.actions[action]);
  }

  /// The same, each different thing by itself.
  void recall(std::string_view observation, std::size_t action, std::vector<RenderedTransitions::Seen>& seen) const {
    rendered_.recall(std::string(observation) + texts_.actions[action], seen);
  }

  /// What is known of the action from all recorded steps.
  [[nodiscard]] ActionExperience experience(std::size_t action) const {
    return rendered_.experience(texts_.actions[action]);
  }

  /// Whether world-model prompts are kept, and only grow.
  [[nodiscard]] bool append_only() const noexcept { return append_only_ != nullptr; }
  /// Whether answers hold as long as their prompts.
  [[nodiscard]] bool keeps_answers() const noexcept { return kept_.has_value(); }
  /// Whether prompts stay beyond episodes and decisions, and answers to sampled questions too.
  [[nodiscard]] bool answers_outlive_episodes() const noexcept {
    return alike_ != nullptr || (append_only() && append_only_->growth > 0);
  }
  /// Whether a user's selection chooses the examples of questions of this kind.
  [[nodiscard]] bool chosen(QueryKind kind) const noexcept { return own_selection_ && kind != QueryKind::action; }
  /// Whether likeness chooses the examples of questions of this kind.
  [[nodiscard]] bool alike(QueryKind kind) const noexcept { return alike_ != nullptr && kind != QueryKind::action; }

  /// The answer texts, without the stop string, that are known to be all (terminations, actions) or all so far (rewards,
  /// while few values were seen); empty when the set is not known.
  [[nodiscard]] std::span<const std::string_view> known_answers(QueryKind kind) const {
    if (kind == QueryKind::transition) return {};
    return known_answers_[static_cast<std::size_t>(kind)].texts();
  }

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

  /// How many transitions have left, and all that was made of them.
  [[nodiscard]] std::size_t departed() const noexcept { return departed_; }

 private:
  /// Drives the choice of that stable prompt's examples. Those of separate questions are numbered among themselves; a whole
  /// transition's lies beside them.
  [[nodiscard]] RandomKey prompt_key(std::size_t slot) const {
    constexpr std::size_t separate = PromptSlots::per_action - 1;
    const std::size_t action = slot / PromptSlots::per_action;
    const std::size_t number = slot % PromptSlots::per_action;
    if (number == separate) return key_.child(std::uint64_t{1} << 32U | action);
    return key_.child(action * separate + number);
  }

  void begin_with_task(const TokenCounter& count_tokens) {
    if (options_.task.empty()) return;
    check_lines(options_.task + "\n", "the task");
    check_length(options_.task, "the task");
    task_ = options_.task + "\n\n";
    task_tokens_ = count_tokens(task_);
  }

  /// As many as there are actions.
  void add_world_prompts() {
    StablePrompt blank;
    blank.begin(task_);
    world_prompts_.resize(PromptSlots::count(texts_.actions.size()), blank);
    looked_up_.resize(world_prompts_.size());
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
    alike_prompts_.forget();
    rendered_.forget([this](TransitionId id) { return source_->holds(id); });
    shown_.forget();
    world_prompts_.clear();
    add_world_prompts();
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

  [[nodiscard]] ExampleQuery alike_query(QueryKind kind, std::size_t action, bool terminated,
                                         std::string_view question) const {
    const std::size_t all = room();
    return {kind, terminated, action, question, all - std::min(all, alike_->stem_tokens)};
  }

  /// Whether chance decides what is balanced in prompts of this kind, and they are to show how often it does.
  [[nodiscard]] bool stands_back(QueryKind kind, std::size_t action) const {
    if (append_only_ == nullptr || append_only_->balance_chance) return false;
    const std::size_t first = options_.constraints ? action : 0;
    const std::size_t last = options_.constraints ? action + 1 : action_count();
    for (std::size_t each = first; each < last; ++each) {
      const ActionExperience known = experience(each);
      if (kind != QueryKind::reward && known.chance_termination) return true;
      if (kind != QueryKind::termination && known.chance_reward) return true;
    }
    return false;
  }

  [[nodiscard]] bool keeps_world_prompts() const noexcept {
    return append_only() || (alike_ != nullptr && alike_->stem_tokens > 0);
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
          for_prompt(slots_(kind, action, terminated), kind, balances(kind) && !stands_back(kind, action));
        }
      }
    }
  }

  /// Which part AppendOnlyExamples::growth waits for: none while every step is news.
  [[nodiscard]] double awaited_growth() const {
    if (kept_->growth == 0) return 0;
    for (std::size_t action = 0; action < action_count(); ++action)
      if (const ActionExperience known = experience(action); known.chance() || known.recurs()) return kept_->growth;
    return 0;
  }

  void update_stable() {
    const std::size_t most = alike_ != nullptr ? std::min(room(), alike_->stem_tokens) : room();
    const double growth = awaited_growth();
    for_stable_prompts([&](std::size_t number, QueryKind kind, bool balance) {
      world_prompts_[number].update(scratch_.classes, balance, most, kept_->rebuild_fraction, growth, rendered_, kind,
                                    prompt_key(number), scratch_.sampler);
    });
  }

  const AppendOnlyExamples* append_only_;   ///< inside options_; null for another selection
  const AlikeExamples* alike_;              ///< inside options_; null for another selection
  bool own_selection_ = false;              ///< a user's
  std::optional<AppendOnlyExamples> kept_;  ///< how prompts are kept, where they are
  ChosenExamples chosen_;
  AlikePrompts alike_prompts_;
  RandomKey key_;
  const std::string end_of_record_ = "\n\n";  ///< answers are whole lines, and a blank one follows the last of them
  std::size_t departed_ = 0;                  ///< of the source, as far as is known here
  std::vector<StablePrompt> world_prompts_;
  std::array<KnownAnswers, query_kinds.size()> known_answers_;
  PromptScratch scratch_;
};

}  // namespace icpi
