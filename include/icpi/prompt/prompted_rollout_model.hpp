// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/thread_team.hpp"
#include "icpi/prompt/answer_reader.hpp"
#include "icpi/prompt/prompt_lane.hpp"
#include "icpi/prompt/query_options.hpp"

namespace icpi {

/// Answers the four questions of imagined steps by prompting a language model: questions become requests, completions
/// become answers. It knows text and no reinforcement learning.
///
/// Serves any number of lanes (agents that decide together). With `stable` prompts identical questions are put once.
/// Answers depend on the question and the lane's experience alone. Steady state allocates nothing.
/// Thread-safety: one object by one thread at a time.
template <LanguageModel LM, class Lane>
class PromptedRolloutModel {
 public:
  /// `model` must outlive this object.
  PromptedRolloutModel(LM& model, QueryOptions options)
      : model_(&model), options_(options), team_(std::make_unique<ThreadTeam>(options.threads)) {
    scratch_.resize(team_->size());
  }

  /// The lanes that Question::lane counts. They must outlive the questions.
  void serve(std::span<Lane* const> lanes) { lanes_.assign(lanes.begin(), lanes.end()); }

  /// What serve() was given.
  [[nodiscard]] Lane& lane(std::uint32_t number) { return *lanes_[number]; }

  /// Called for every answer, for people who want to look. An empty function ends that.
  void observe_queries(QueryObserver observer) { observer_ = std::move(observer); }

  /// See RolloutModel.
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    routes_.resize(questions.size());
    batch_.clear();
    for (std::size_t i = 0; i < questions.size(); ++i) {
      bool added = false;
      routes_[i] = route(questions[i], answers[i], added);
      if (added) batch_.push_back(routes_[i]);
    }
    try {
      team_->for_each(batch_.size(),
                      [this](std::size_t i, std::size_t worker) { write(slots_[batch_[i]], scratch_[worker]); });
      order_by_prefix();
      ask();
    } catch (...) {
      for (auto slot = batch_.rbegin(); slot != batch_.rend(); ++slot) forget(*slot);
      throw;
    }
    std::exception_ptr problem;
    for (const auto slot : batch_) settle(slots_[slot], problem);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      if (routes_[i] != AnswerMemo::Entry::none) answers[i] = slots_[routes_[i]].answer;
    }
    free_.insert(free_.end(), batch_.rbegin(), batch_.rend());
    if (problem) std::rethrow_exception(problem);
  }

  /// Whether both put their questions to the same model in the same way.
  [[nodiscard]] bool agrees_with(const PromptedRolloutModel& other) const {
    return model_ == other.model_ && options_ == other.options_;
  }

  /// @cond internals
 protected:
  /// A request on its way, and the memory it needs.
  struct Slot {
    Question question;
    AnswerMemo::Key key;
    PromptPrefix prefix;
    std::string prefix_text;  ///< of a prompt that is this query's own
    std::string query;
    std::array<std::string_view, 1> stop;
    Completion completion;
    Answer answer;

    void restart(const Question& asked, const AnswerMemo::Key& identity, const PromptPrefix& shared) {
      question = asked;
      key = identity;
      prefix = shared;
    }
  };

  [[nodiscard]] static bool stable(const Lane& lane) { return lane.book.options().mode == PromptMode::stable; }

  /// The slot that will have the answer: a new one (`added`), or that of an identical question. None when the answer is
  /// known already and was stored in `answer`.
  std::uint32_t route(const Question& question, Answer& answer, bool& added) {
    Lane& lane = *lanes_[question.lane];
    AnswerMemo::Key key{question.kind,
                        question.terminated,
                        question.action,
                        question.observation,
                        question.sample,
                        question.attempt,
                        0,
                        0};
    PromptPrefix prefix;
    added = true;
    if (stable(lane)) {
      prefix = lane.book.stable_prefix(question.kind, question.action, question.terminated,
                                       3 * lane.decision + question.step + question.sample);
      key.prefix_identity = prefix.identity;
      key.prefix_length = prefix.text.size();
      key.decision = temperature(question) > 0 ? lane.decision : 0;
      if (options_.deduplicate) {
        const auto [entry, is_new] = lane.memo.find_or_add(key);
        const bool answered = entry->pending == AnswerMemo::Entry::none;
        added = is_new || (answered && entry->answer.status == AnswerStatus::failed);
        if (!added) {
          ++lane.costs.deduplicated;
          if (answered) answer = entry->answer;
          return entry->pending;
        }
        entry->pending = acquire();
        slots_[entry->pending].restart(question, key, prefix);
        return entry->pending;
      }
    }
    const auto slot = acquire();
    slots_[slot].restart(question, key, prefix);
    return slot;
  }

  /// Room for a usual answer. Completions change places, so they would otherwise grow one by one, decision by decision.
  static void reserve(Completion& completion) { completion.text.reserve(127); }

  /// There is no answer: nobody may wait for it or take it for one.
  void give_up(Slot& slot) {
    slot.answer = {};
    slot.answer.status = AnswerStatus::failed;
    Lane& lane = *lanes_[slot.question.lane];
    if (!stable(lane) || !options_.deduplicate) return;
    auto& entry = *lane.memo.find_or_add(slot.key).first;
    entry.pending = AnswerMemo::Entry::none;
    entry.answer = slot.answer;
  }

  /// After the model threw.
  void forget(std::uint32_t slot) {
    give_up(slots_[slot]);
    free_.push_back(slot);
  }

  /// Reads the answer. When formatter or observer throw there is none, and `problem` says why, unless it has one.
  void settle(Slot& slot, std::exception_ptr& problem) {
    try {
      read(slot);
    } catch (...) {
      if (!problem) problem = std::current_exception();
      give_up(slot);
    }
  }

  [[nodiscard]] std::uint32_t acquire() {
    if (free_.empty()) {
      reserve(slots_.emplace_back().completion);
      return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const auto slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void write(Slot& slot, PromptScratch& scratch) {
    const Lane& lane = *lanes_[slot.question.lane];
    const auto& question = slot.question;
    if (!stable(lane)) {
      RandomStream stream(question.key.child(2 * question.attempt));
      slot.prefix_text.clear();
      lane.book.write(question.kind, question.action, question.terminated, stream, scratch, slot.prefix_text);
      slot.prefix = {0, slot.prefix_text};
    }
    slot.query.clear();
    lane.book.write_query(question.kind, lane.observations.text(question.observation), question.action, slot.query);
    slot.stop[0] = lane.book.formatter().stop(question.kind);
  }

  void order_by_prefix() {
    keyed_.clear();
    for (const auto slot : batch_) keyed_.push_back({slots_[slot].prefix.identity, slot});
    std::sort(keyed_.begin(), keyed_.end());
    order_.clear();
    for (const auto& [identity, slot] : keyed_) order_.push_back(slot);
  }

  void ask() {
    if (!options_.prime_prefixes) return send(order_);
    first_.clear();
    rest_.clear();
    for (const auto slot : order_) {
      const auto identity = slots_[slot].prefix.identity;
      const bool first = identity != 0 && !is_primed(identity);
      (first ? first_ : rest_).push_back(slot);
      if (first) primed_.insert(identity);
    }
    send(first_);
    send(rest_);
  }

  [[nodiscard]] bool is_primed(std::uint64_t identity) const { return primed_.contains(identity); }

  void send(std::span<const std::uint32_t> order) {
    if (order.empty()) return;
    scored_.clear();
    requests_.clear();
    for (const auto slot : order) {
      if (scores(slots_[slot])) {
        scored_.push_back(slot);
      } else {
        requests_.push_back(request(slots_[slot]));
      }
    }
    if (!requests_.empty()) complete(order);
    if constexpr (ScoresContinuations<LM>) {
      if (!scored_.empty()) score();
    }
  }

  void complete(std::span<const std::uint32_t> order) {
    while (completions_.size() < requests_.size()) reserve(completions_.emplace_back());
    model_->complete(requests_, std::span(completions_).first(requests_.size()));
    std::size_t next = 0;
    for (const auto slot : order) {
      if (!scores(slots_[slot])) std::swap(slots_[slot].completion, completions_[next++]);
    }
  }

  [[nodiscard]] std::span<const std::string_view> choices(const Slot& slot) const {
    if (!options_.restrict_answers) return {};
    return lanes_[slot.question.lane]->book.known_answers(slot.question.kind);
  }

  /// Whether the model is to score the known answers, because it cannot be constrained to them.
  [[nodiscard]] bool scores(const Slot& slot) const {
    return !constrains_choices(*model_) && scores_continuations(*model_) && !choices(slot).empty();
  }

  [[nodiscard]] double temperature(const Question& question) const {
    const bool policy = question.kind == QueryKind::action && options_.policy_temperature;
    return policy ? *options_.policy_temperature : options_.sampling.temperature;
  }

  /// Stable prompts: the same for identical queries, whoever asks them first. Else the question's own.
  [[nodiscard]] std::uint64_t seed(const Slot& slot) const {
    const auto& question = slot.question;
    const Lane& lane = *lanes_[question.lane];
    if (!stable(lane)) return question.key.child(2 * question.attempt + 1).seed();
    const auto kind = static_cast<std::uint64_t>(question.kind) << 1 | (question.terminated ? 1 : 0);
    return lane.episode_key.child(lane.decision)
        .child(kind)
        .child(lane.observations.hash(question.observation))
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
    request.seed = seed(slot);
    request.sample_index = slot.question.sample << 8 | slot.question.attempt;
    if (constrains_choices(*model_)) request.choices = choices(slot);
    request.timeout = options_.timeout;
    return request;
  }

  void score()
    requires ScoresContinuations<LM>
  {
    score_requests_.clear();
    for (const auto slot : scored_) {
      score_requests_.push_back({slots_[slot].prefix, slots_[slot].query, choices(slots_[slot])});
    }
    if (scores_.size() < scored_.size()) scores_.resize(scored_.size());
    model_->score(score_requests_, std::span(scores_).first(scored_.size()));
    for (std::size_t i = 0; i < scored_.size(); ++i) {
      auto& slot = slots_[scored_[i]];
      choose(scores_[i], choices(slot), temperature(slot.question), seed(slot), slot.completion);
    }
  }

  void read(Slot& slot) {
    Lane& lane = *lanes_[slot.question.lane];
    auto& costs = lane.costs;
    const auto& completion = slot.completion;
    const bool cancelled = completion.error.category == ErrorCategory::cancelled;
    const bool over_budget = completion.error.category == ErrorCategory::budget_exhausted;
    ++(cancelled ? costs.cancelled : over_budget ? costs.over_budget : costs.lm_calls);
    costs.prompt_tokens += completion.usage.prompt_tokens;
    costs.cached_tokens += completion.usage.cached_tokens;
    costs.completion_tokens += completion.usage.completion_tokens;
    slot.answer = read_answer(lane, slot.question.kind, completion, reader_text_);
    if (slot.answer.status == AnswerStatus::failed && !cancelled && !over_budget) ++costs.failures;
    if (slot.answer.status == AnswerStatus::invalid) {
      ++costs.invalid;
      // A greedy model says the same again.
      if (stable(lane) && temperature(slot.question) == 0) slot.answer.status = AnswerStatus::impossible;
    }
    if (stable(lane) && options_.deduplicate) {
      auto& entry = *lane.memo.find_or_add(slot.key).first;
      entry.answer = slot.answer;
      entry.pending = AnswerMemo::Entry::none;
    }
    if (observer_) observer_({slot.question, slot.prefix.text, slot.query, &completion, slot.answer.status});
  }

  LM* model_;
  QueryOptions options_;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<Lane*> lanes_;
  std::vector<PromptScratch> scratch_;
  std::deque<Slot> slots_;  ///< a deque: requests hold views into slots
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> batch_;
  std::vector<std::uint32_t> routes_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> keyed_;  ///< prefix identity and slot: sorted without the slots
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> rest_;
  std::vector<std::uint32_t> scored_;
  std::unordered_set<std::uint64_t> primed_;
  std::vector<CompletionRequest> requests_;
  std::vector<Completion> completions_;
  std::vector<ScoreRequest> score_requests_;
  std::vector<Scores> scores_;
  std::string reader_text_;
  QueryObserver observer_;
  /// @endcond
};

}  // namespace icpi
