// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/alike_prompts.hpp"
#include "icpi/prompt/answer_memo.hpp"
#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "icpi/prompt/prompt_writer.hpp"
#include "icpi/prompt/query_options.hpp"
#include "icpi/prompt/stable_prompt.hpp"

namespace icpi {

/// What a question is asked as: its prompt, its seed, and what the model may answer.
/// Thread-safety: one object by one thread at a time; write() of different slots by any threads.
class QuestionRequests {
 protected:
  /// See PromptedRolloutModel.
  QuestionRequests(LanguageModelRef model, QueryOptions options)
      : model_(model), can_(model.capabilities()), options_(std::move(options)) {}

  /// A request on its way, and the memory it needs.
  struct Slot {
    Question question;
    AnswerMemo::Key key;
    PromptPrefix prefix;
    PromptWriter own_prompt;                  ///< of a prompt that is this query's own
    AlikePrompt alike;                        ///< of questions whose examples likeness chose
    std::span<const PromptExample> examples;  ///< in the prefix
    std::string query;
    std::string own_query;        ///< the question alone, where examples are chosen for it
    std::size_t question_at = 0;  ///< where in `query` the question begins
    std::array<std::string_view, 1> stop;
    std::vector<std::string_view> legal;  ///< what may be answered, where not every action can be done
    std::vector<std::string> whole;       ///< choices with their stop string, where one begins as another
    std::vector<std::string_view> scored;
    Completion completion;
    bool completed = false;  ///< `completion` is the model's
    Answer answer;

    void restart(const Question& asked, const AnswerMemo::Key& identity) {
      question = asked;
      key = identity;
      completed = false;
      prefix = {};
      examples = {};
      query.clear();
      legal.clear();
    }
    void restart(const Question& asked, const AnswerMemo::Key& identity, const StablePrompt& shared) {
      restart(asked, identity);
      prefix = {shared.identity, shared.text};
      examples = shared.examples;
    }
  };

  [[nodiscard]] PromptState& state(const Question& question) const {
    return prompt_contexts_[question.prompt_context]->state();
  }

  /// Whether equal questions are put once, as long as their prompts stay.
  [[nodiscard]] static bool stable(const PromptState& state) { return state.book.keeps_answers(); }

  /// Whether its examples are chosen for the question, by likeness or by a user's selection.
  [[nodiscard]] static bool has_own_examples(const PromptState& state, const Question& question) {
    return state.book.alike(question.kind) || state.book.chosen(question.kind);
  }

  /// Says in `key` which prompt a question has whose examples likeness chooses, and how many answers it may be given.
  void identify_alike(PromptState& state, const Question& question, AnswerMemo::Key& key) {
    alike_query_.clear();
    state.book.write_query(question.kind, state.observations.text(question.observation), question.action, alike_query_);
    state.book.identify_alike(question.kind, question.action, question.terminated, alike_query_, alike_);
    const StablePrompt& stem = state.book.stable_prompt(question.kind, question.action, question.terminated);
    key.prefix_identity = alike_.identity ^ stem.identity * 0x9E3779B97F4A7C15;
    key.prefix_length = stem.text.size();
    if (options_.restrict_answers) key.prefix_length |= state.book.known_answers(question.kind).size() << 32U;
  }
  /// Gives these examples, of the question that was identified last, to its slot.
  void take_alike(PromptState& state, Slot& slot) {
    const auto& question = slot.question;
    if (!alike_.chosen)
      state.book.choose_alike(question.kind, question.action, question.terminated, alike_query_, alike_);
    std::swap(slot.alike, alike_);
  }

  /// What must be done on the agent's own thread, before write().
  void look_up(Slot& slot) {
    const auto& question = slot.question;
    PromptState& state = this->state(question);
    if (options_.restrict_answers && question.kind == QueryKind::action) find_legal(slot, state);
    if (has_own_examples(state, question)) return write_own_examples(slot, state);
    if (!stable(state)) state.book.look_up(question.kind, question.action, question.terminated);
  }

  static void find_legal(Slot& slot, PromptState& state) {
    for (const std::uint32_t action : state.legal_at(slot.question.observation))
      slot.legal.push_back(state.book.action_answer(action));
  }

  [[nodiscard]] static bool is_legal_answer(PromptState& state, const Question& question, const Answer& answer) {
    if (question.kind != QueryKind::action || answer.status != AnswerStatus::valid) return true;
    return is_legal(state.legal_at(question.observation), answer.action);
  }

  /// What was chosen by likeness, or what a user's selection chooses now.
  static void write_own_examples(Slot& slot, PromptState& state) {
    const auto& question = slot.question;
    slot.own_query.clear();
    state.book.write_query(question.kind, state.observations.text(question.observation), question.action,
                           slot.own_query);
    slot.own_prompt.clear();
    PromptPrefix shared;
    if (state.book.alike(question.kind)) {
      shared = state.book.write_alike(question.kind, question.action, question.terminated, slot.alike, slot.own_prompt);
    } else {
      RandomStream stream(question.key.child(2 * question.attempt));
      shared = state.book.write_chosen(question.kind, question.action, question.terminated, slot.own_query, stream,
                                       slot.own_prompt);
    }
    slot.prefix = shared;
    slot.examples = slot.own_prompt.examples();
    slot.query.assign(slot.own_prompt.text().substr(shared.text.size()));
    slot.question_at = slot.query.size();
    slot.query.append(slot.own_query);
  }

  void write(Slot& slot, PromptScratch& scratch) {
    const auto& question = slot.question;
    const PromptState& state = this->state(question);
    slot.stop[0] = state.book.stop(question.kind);
    if (has_own_examples(state, question)) return;
    if (!stable(state)) {
      RandomStream stream(question.key.child(2 * question.attempt));
      slot.own_prompt.clear();
      state.book.write_looked_up(question.kind, question.action, question.terminated, stream, scratch, slot.own_prompt);
      slot.prefix = {0, slot.own_prompt.text()};
      slot.examples = slot.own_prompt.examples();
    }
    slot.query.clear();
    slot.question_at = PromptBook::question_in_query(question.kind);
    state.book.write_query(question.kind, state.observations.text(question.observation), question.action, slot.query);
  }

  [[nodiscard]] std::span<const std::string_view> choices(const Slot& slot) const {
    if (!options_.restrict_answers) return {};
    if (!slot.legal.empty()) return slot.legal;
    return state(slot.question).book.known_answers(slot.question.kind);
  }

  /// Some services ignore what an answer is restricted to.
  [[nodiscard]] bool is_allowed(const Slot& slot) const {
    const auto allowed = choices(slot);
    return allowed.empty() || std::find(allowed.begin(), allowed.end(), slot.completion.text) != allowed.end();
  }

  /// Whether the model is to score the known answers, because it cannot be constrained to them.
  [[nodiscard]] bool scores(const Slot& slot) const {
    return !can_.constrains_choices && can_.scores && !choices(slot).empty();
  }

  /// What the model scores in their place. A choice that begins another one is never less likely than that one, so they are
  /// compared to their ends.
  [[nodiscard]] std::span<const std::string_view> continuations(Slot& slot) const {
    const auto all = choices(slot);
    const auto begins_another = [&](std::string_view text) {
      return std::any_of(all.begin(), all.end(), [&](auto each) { return each != text && each.starts_with(text); });
    };
    if (std::none_of(all.begin(), all.end(), begins_another)) return all;
    slot.whole.clear();
    for (const auto each : all) slot.whole.emplace_back(each).append(slot.stop[0]);
    slot.scored.assign(slot.whole.begin(), slot.whole.end());
    return slot.scored;
  }

  [[nodiscard]] std::optional<double> temperature(const Question& question) const {
    if (question.drawn) return 1;
    const bool policy = question.kind == QueryKind::action && options_.policy_temperature;
    return policy ? options_.policy_temperature : options_.sampling.temperature;
  }

  /// Says in `key` which prompt the question has and how long answers to it hold. The prompt; null where likeness
  /// chooses its examples.
  const StablePrompt* identify_prompt(PromptState& state, const Question& question, AnswerMemo::Key& key) {
    if (state.book.alike(question.kind)) {
      identify_alike(state, question, key);
      return nullptr;
    }
    const auto& prompt = state.stable_prompt(question.kind, question.action, question.terminated,
                                             3 * state.decision + question.step + question.sample);
    key.prefix_identity = prompt.identity;
    key.prefix_length = prompt.text.size();
    key.decision = temperature(question) != 0.0 && !question.drawn ? state.asking : 0;
    return &prompt;
  }

  /// Stable prompts: the same for identical queries, whoever asks them first; where likeness chooses examples, and for what
  /// is drawn, whenever. Else the question's own.
  [[nodiscard]] std::uint64_t seed(const Slot& slot) const {
    const auto& question = slot.question;
    PromptState& state = this->state(question);
    if (!stable(state)) return question.key.child(2 * question.attempt + 1).seed();
    const auto kind = static_cast<std::uint64_t>(question.kind) << 1 | (question.terminated ? 1 : 0);
    const RandomKey when = state.book.alike(question.kind)
                               ? state.shared->answer_key.child(slot.alike.identity).child(slot.key.prefix_length)
                           : question.drawn ? state.drawn_key()
                                            : state.decision_key.of(state.episode_key, state.decision);
    return state.kind_keys[kind]
        .of(when, kind)
        .child(state.observations.hash(question.observation))
        .child(std::uint64_t{question.action} << 32 | question.sample)
        .child(question.attempt)
        .seed();
  }

  [[nodiscard]] CompletionRequest request(const Slot& slot) const {
    CompletionRequest request;
    request.prefix = slot.prefix;
    request.query = slot.query;
    request.stop = slot.stop;
    request.sampling = options_.sampling;
    request.sampling.temperature = temperature(slot.question);
    if (slot.question.kind == QueryKind::transition) allow_three_answers(request.sampling);
    request.seed = seed(slot);
    request.sample_index = slot.question.sample << 8 | slot.question.attempt;
    if (can_.constrains_choices) request.choices = choices(slot);
    request.want_logprobs = can_.gives_logprobs && slot.question.want_logprob;
    request.timeout = options_.timeout;
    request.examples = slot.examples;
    request.question = slot.prefix.text.size() + slot.question_at;
    return request;
  }

  /// As many tokens as three questions would be allowed.
  static void allow_three_answers(Sampling& sampling) {
    constexpr int most = std::numeric_limits<int>::max() / 3;
    if (sampling.max_tokens) sampling.max_tokens = 3 * std::min(*sampling.max_tokens, most);
  }

  LanguageModelRef model_;
  Capabilities can_;
  QueryOptions options_;
  std::vector<PromptContext*> prompt_contexts_;
  AlikePrompt alike_;        ///< of the question that was identified last
  std::string alike_query_;  ///< its text
};

}  // namespace icpi
