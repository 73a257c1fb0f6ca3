// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/thread_team.hpp"
#include "icpi/core/until.hpp"
#include "icpi/prompt/answer_reader.hpp"
#include "icpi/prompt/ask_until.hpp"
#include "icpi/prompt/primed_prefixes.hpp"
#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "icpi/prompt/query_options.hpp"
#include "icpi/prompt/question_requests.hpp"

namespace icpi {

/// The batch half of PromptedRolloutModel: questions become requests, completions become answers.
/// Thread-safety: one object by one thread at a time.
class PromptedQuestions : protected QuestionRequests {
 public:
  /// See PromptedRolloutModel.
  PromptedQuestions(LanguageModelRef model, const QueryOptions& options, std::size_t threads)
      : QuestionRequests(model, options), team_(std::make_unique<ThreadTeam>(threads)) {
    scratch_.resize(team_->size());
  }

  /// See PromptedRolloutModel.
  void serve_none() { prompt_contexts_.clear(); }
  /// See PromptedRolloutModel.
  void serve_also(PromptContext& prompt_context) { prompt_contexts_.push_back(&prompt_context); }

  /// Called for every answer, for people who want to look. An empty function ends that.
  void observe_queries(QueryObserver observer) { observer_ = std::move(observer); }

  /// How long questions may take from now on.
  void limit(const Until& until) { until_ = until; }

  /// See RolloutModel.
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    routes_.resize(questions.size());
    batch_.clear();
    try {
      for (std::size_t i = 0; i < questions.size(); ++i) {
        bool added = false;
        routes_[i] = route(questions[i], answers[i], added);
        if (added) batch_.push_back(routes_[i]);
      }
      look_up_batch();
      team_->for_each(batch_.size(), [this](std::size_t i, std::size_t worker) {
        if (!until_.over()) write(*slots_[batch_[i]], scratch_[worker]);
      });
      order_by_prefix();
      ask();
    } catch (...) {
      for (auto slot = batch_.rbegin(); slot != batch_.rend(); ++slot) end(*slot);
      throw;
    }
    std::exception_ptr problem;
    for (const auto slot : batch_) settle(*slots_[slot], problem);
    for (std::size_t i = 0; i < questions.size(); ++i)
      if (routes_[i] != AnswerMemo::Entry::none) answers[i] = slots_[routes_[i]]->answer;
    free_.insert(free_.end(), batch_.rbegin(), batch_.rend());
    if (problem) std::rethrow_exception(problem);
  }

  /// Identity of the model that is asked.
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  /// How it is asked.
  [[nodiscard]] std::string description() const { return options_.description(); }

  /// Whether both put their questions to the same model in the same way.
  [[nodiscard]] bool agrees_with(const PromptedQuestions& other) const {
    return model_ == other.model_ && options_ == other.options_;
  }

 protected:
  /// Users' buffers are asked on this thread alone; the team only writes. Once the time is up neither goes on: nothing is
  /// sent any more.
  void look_up_batch() {
    for (auto* prompt_context : prompt_contexts_) prompt_context->state().book.forget_look_ups();
    for (const auto slot : batch_)
      if (!until_.over()) look_up(*slots_[slot]);
  }

  /// The slot that will have the answer: a new one (`added`), or that of an identical question. None when the answer is
  /// known already and was stored in `answer`.
  std::uint32_t route(const Question& question, Answer& answer, bool& added) {
    PromptState& state = this->state(question);
    AnswerMemo::Key key;
    key.kind = question.kind;
    key.terminated = question.terminated;
    key.action = question.action;
    key.observation = question.observation;
    key.sample = question.sample;
    key.attempt = question.attempt;
    key.want_logprob = question.want_logprob;
    key.drawn = question.drawn;
    added = true;
    if (!stable(state)) {
      const auto slot = acquire();
      slots_[slot]->restart(question, key);
      return slot;
    }
    if (question.kind == QueryKind::action) key.action = state.legal_number(question.observation);
    const StablePrompt* const prompt = identify_prompt(state, question, key);
    const auto begin = [&] {
      const auto slot = acquire();
      prompt != nullptr ? slots_[slot]->restart(question, key, *prompt) : slots_[slot]->restart(question, key);
      if (prompt == nullptr) take_alike(state, *slots_[slot]);
      return slot;
    };
    if (!options_.deduplicate) return begin();
    const auto [entry, is_new] = state.memo.find_or_add(key);
    const bool answered = entry->pending == AnswerMemo::Entry::none;
    added = is_new || (answered && entry->answer.status == AnswerStatus::failed);
    if (added) return entry->pending = begin();
    ++prompt_contexts_[question.prompt_context]->costs.deduplicated;
    if (answered) answer = entry->answer;
    return entry->pending;
  }

  /// Room for a usual answer. Completions change places, so they would otherwise grow one by one, decision by decision.
  static void reserve(Completion& completion) { completion.text.reserve(127); }

  /// There is no answer: nobody may wait for it or take it for one.
  void fail(Slot& slot) {
    slot.answer = {};
    slot.answer.status = AnswerStatus::failed;
    PromptState& state = this->state(slot.question);
    if (!stable(state) || !options_.deduplicate) return;
    auto& entry = *state.memo.find_or_add(slot.key).first;
    entry.pending = AnswerMemo::Entry::none;
    entry.answer = slot.answer;
  }

  /// After the model threw. What was answered before was paid for: it counts.
  void end(std::uint32_t slot) {
    std::exception_ptr another;  // the first one is on its way
    slots_[slot]->completed ? settle(*slots_[slot], another) : fail(*slots_[slot]);
    free_.push_back(slot);
  }

  /// Reads the answer. When formatter or observer throw there is none, and `problem` says why, unless it has one.
  void settle(Slot& slot, std::exception_ptr& problem) {
    try {
      read(slot);
    } catch (...) {
      if (!problem) problem = std::current_exception();
      fail(slot);
    }
  }

  [[nodiscard]] std::uint32_t acquire() {
    if (free_.empty()) {
      slots_.push_back(std::make_unique<Slot>());
      reserve(slots_.back()->completion);
      return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const auto slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void order_by_prefix() {
    keyed_.clear();
    for (const auto slot : batch_) keyed_.push_back({slots_[slot]->prefix.identity, slot});
    std::sort(keyed_.begin(), keyed_.end());
    order_.clear();
    for (const auto& [identity, slot] : keyed_) order_.push_back(slot);
  }

  void ask() {
    if (!options_.prime_prefixes) return send(order_);
    first_.clear();
    rest_.clear();
    std::uint64_t previous = 0;  // as of prompts that are one query's own
    for (const auto slot : order_) {
      const auto identity = slots_[slot]->prefix.identity;
      (identity != previous && !primed_.contains(identity) ? first_ : rest_).push_back(slot);
      previous = identity;
    }
    send(first_);
    for (const auto slot : first_) primed_.note(slots_[slot]->prefix.identity, slots_[slot]->completion);
    send(rest_);
  }

  void send(std::span<const std::uint32_t> order) {
    scored_.clear();
    asked_.clear();
    for (const auto slot : order) (scores(*slots_[slot]) ? scored_ : asked_).push_back(slot);
    if (!asked_.empty()) complete();
    if (!scored_.empty()) score();
  }

  void complete() {
    requests_.clear();
    for (const auto slot : asked_) requests_.push_back(request(*slots_[slot]));
    while (completions_.size() < requests_.size()) reserve(completions_.emplace_back());
    ask_in_chunks(asked_, [&](std::size_t first, std::size_t count) {
      model_.complete(std::span(requests_).subspan(first, count), std::span(completions_).subspan(first, count));
      for (std::size_t i = first; i < first + count; ++i) std::swap(slots_[asked_[i]]->completion, completions_[i]);
    });
  }

  void score() {
    score_requests_.clear();
    for (const auto slot : scored_)
      score_requests_.push_back({slots_[slot]->prefix, slots_[slot]->query, continuations(*slots_[slot])});
    if (scores_.size() < scored_.size()) scores_.resize(scored_.size());
    ask_in_chunks(scored_, [&](std::size_t first, std::size_t count) {
      model_.score(std::span(score_requests_).subspan(first, count), std::span(scores_).subspan(first, count));
      for (std::size_t i = first; i < first + count; ++i) {
        Slot& slot = *slots_[scored_[i]];
        choose(scores_[i], choices(slot), temperature(slot.question).value_or(1), seed(slot), slot.completion);
      }
    });
  }

  /// Fills the completions of these slots by ask(first, count), until the time is up; those of the rest are cancelled.
  template <class Ask>
  void ask_in_chunks(std::span<const std::uint32_t> slots, Ask&& ask) {
    const std::size_t asked =
        ask_until(slots.size(), until_, options_.chunk, [&](std::size_t first, std::size_t count) {
          ask(first, count);
          for (const auto slot : slots.subspan(first, count)) slots_[slot]->completed = true;
        });
    for (const auto slot : slots.subspan(asked)) fill_cancelled(slots_[slot]->completion);
  }

  void read(Slot& slot) {
    PromptState& state = this->state(slot.question);
    auto& costs = prompt_contexts_[slot.question.prompt_context]->costs;
    const auto& completion = slot.completion;
    const bool cancelled = completion.error.category == ErrorCategory::cancelled;
    const bool over_budget = completion.error.category == ErrorCategory::budget_exhausted;
    ++(cancelled ? costs.cancelled : over_budget ? costs.over_budget : costs.lm_calls);
    costs.prompt_tokens += completion.usage.prompt_tokens;
    costs.cached_tokens += completion.usage.cached_tokens;
    costs.completion_tokens += completion.usage.completion_tokens;
    slot.answer = read_answer(state, slot.question.kind, completion, reader_text_, options_.restrict_answers);
    if (slot.answer.status == AnswerStatus::valid &&
        (!is_allowed(slot) || !is_legal_answer(state, slot.question, slot.answer))) {
      slot.answer = {};
      slot.answer.status = AnswerStatus::invalid;
    }
    if (slot.question.want_logprob)
      for (const auto& token : completion.tokens) slot.answer.logprob += token.logprob;
    if (slot.answer.status == AnswerStatus::failed && !cancelled && !over_budget) ++costs.failures;
    if (slot.answer.status == AnswerStatus::invalid) {
      ++costs.invalid;
      // A greedy model says the same again.
      if (stable(state) && temperature(slot.question) == 0) slot.answer.status = AnswerStatus::impossible;
    }
    if (stable(state) && options_.deduplicate) {
      auto& entry = *state.memo.find_or_add(slot.key).first;
      entry.answer = slot.answer;
      entry.pending = AnswerMemo::Entry::none;
    }
    if (observer_)
      observer_({slot.question, slot.prefix.text, slot.query, &completion, slot.answer.status, slot.answer.parts});
  }

  Until until_;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<PromptScratch> scratch_;
  std::vector<std::unique_ptr<Slot>> slots_;  ///< each stays where it is: requests hold views into slots
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> batch_;
  std::vector<std::uint32_t> routes_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> keyed_;  ///< prefix identity and slot: sorted without the slots
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> rest_;
  std::vector<std::uint32_t> asked_;
  std::vector<std::uint32_t> scored_;
  PrimedPrefixes primed_;
  std::vector<CompletionRequest> requests_;
  std::vector<Completion> completions_;
  std::vector<ScoreRequest> score_requests_;
  std::vector<Scores> scores_;
  std::string reader_text_;
  QueryObserver observer_;
};

}  // namespace icpi
