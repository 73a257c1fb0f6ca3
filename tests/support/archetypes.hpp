// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/error.hpp"

/// Types that model one concept each and can do nothing else: code that compiles with them asks for no more than the
/// concepts say. They work, so that what is compiled can also be run.
namespace icpi::archetype {

/// Copyable and comparable for equality, that is all: no default, no order, no hash, no text.
class Value {
 public:
  explicit Value(int number) : number_(number) {}
  [[nodiscard]] int number() const { return number_; }
  friend bool operator==(const Value& a, const Value& b) { return a.number_ == b.number_; }
  friend bool operator!=(const Value& a, const Value& b) { return !(a == b); }

 private:
  int number_;
};

/// An Observation and an Action that do not convert to each other.
class Seen : public Value {
 public:
  using Value::Value;
};
class Done : public Value {
 public:
  using Value::Value;
};

/// Counts up to three; action 1 counts, action 0 waits. Movable only, no default constructor.
class Environment {
 public:
  using Observation = Seen;
  using Action = Done;

  explicit Environment(int goal) : goal_(goal) { actions_ = {Done(0), Done(1)}; }
  Environment(Environment&&) = default;
  Environment& operator=(Environment&&) = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] std::span<const Done> actions() const { return actions_; }
  Seen reset(std::uint64_t seed) {
    count_ = static_cast<int>(seed % 3);
    steps_ = 0;
    return Seen(count_);
  }
  Step<Seen> step(const Done& action) {
    count_ += action.number();
    ++steps_;
    const bool reached = count_ >= goal_;
    return {Seen(count_), reached ? 1.0 : 0.0, reached, !reached && steps_ == 6};
  }
  [[nodiscard]] float discount() const { return 0.5F; }  // convertible to double, not double

 protected:
  int goal_;
  int count_ = 0;
  int steps_ = 0;
  std::vector<Done> actions_;
};

/// Also lets its state be set and its dynamics be listed.
class TransparentEnvironment : public Environment {
 public:
  using Environment::Environment;

  void set_state(const Seen& seen, std::uint64_t) {
    count_ = seen.number();
    steps_ = 0;
  }
  [[nodiscard]] std::vector<Outcome<Seen>> outcomes(const Seen& seen, const Done& action) const {
    const int next = seen.number() + action.number();
    return {{1.0, {Seen(next), next >= goal_ ? 1.0 : 0.0, next >= goal_, false}}};
  }
  [[nodiscard]] int time_limit() const { return 6; }
};

/// Writes numbers. No default constructor; everything const.
class Formatter {
 public:
  explicit Formatter(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] std::string observation(const Seen& seen) const { return line("at", seen.number()); }
  [[nodiscard]] std::string action(const Done& done) const { return line("do", done.number()); }
  [[nodiscard]] std::string reward(double value) const {
    char digits[64];
    const int size = std::snprintf(digits, sizeof digits, "%a", value);  // hexadecimal: exact
    return "got " + std::string(digits, static_cast<std::size_t>(size)) + "\n";
  }
  [[nodiscard]] std::string termination(bool over) const { return over ? "over\n" : "on\n"; }
  [[nodiscard]] std::string episode_start() const { return "\nstart\n"; }
  [[nodiscard]] std::string trajectory_step(const Transition<Seen, Done>& t) const {
    return observation(t.observation) + action(t.action) + reward(t.reward);
  }
  [[nodiscard]] const char* stop(QueryKind) const { return "\n"; }
  [[nodiscard]] std::optional<Done> parse_action(std::string_view text) const {
    for (const int number : {0, 1})
      if (action(Done(number)) == std::string(text) + "\n") return Done(number);
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    if (text.substr(0, 4) != "got ") return std::nullopt;
    const std::string digits(text.substr(4));
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (digits.empty() || end != digits.c_str() + digits.size() || reward(value) != std::string(text) + "\n")
      return std::nullopt;
    return value;
  }
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    if (text == "over") return true;
    if (text == "on") return false;
    return std::nullopt;
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const {
    return text.substr(0, name_.size() + 4) == name_ + " at " && text.find('\n') == text.npos;
  }

 private:
  [[nodiscard]] std::string line(const char* verb, int number) const {
    return name_ + " " + verb + " " + std::to_string(number) + "\n";
  }

  std::string name_;
};

/// Also reads observations.
class ReadingFormatter : public Formatter {
 public:
  using Formatter::Formatter;
  [[nodiscard]] std::optional<Seen> parse_observation(std::string_view text) const {
    for (int number = 0; number < 16; ++number)
      if (observation(Seen(number)) == std::string(text) + "\n") return Seen(number);
    return std::nullopt;
  }
};

/// Remembers, slowly: neither movable nor copyable.
class Buffer {
 public:
  explicit Buffer(std::size_t actions) : ids_(2 * actions), classes_(2 * actions) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void append(std::span<const Transition<Seen, Done>> trajectory) {
    for (const auto& transition : trajectory) extend(transition);
    close();
  }
  void extend(const Transition<Seen, Done>& transition) {
    const auto id = static_cast<TransitionId>(transitions_.size());
    transitions_.push_back(transition);
    const std::size_t group = group_of(action_index(id), transition.terminated);
    ids_[group].push_back(id);
    for (RewardClass& known : classes_[group])
      if (known.reward == transition.reward) return known.members.push_back(id);
    classes_[group].push_back({transition.reward, {id}});
  }
  void close() {
    const TransitionId first = ranges_.empty() ? 0 : ranges_.back().last;
    if (first < transitions_.size()) ranges_.push_back({first, static_cast<TransitionId>(transitions_.size())});
  }
  [[nodiscard]] std::size_t size() const { return transitions_.size(); }
  [[nodiscard]] const Transition<Seen, Done>& operator[](TransitionId id) const { return transitions_[id]; }
  [[nodiscard]] std::size_t action_index(TransitionId id) const {
    return static_cast<std::size_t>(transitions_[id].action.number());
  }
  [[nodiscard]] std::size_t trajectory_count() const { return ranges_.size(); }
  [[nodiscard]] TransitionRange trajectory(std::size_t number) const { return ranges_[number]; }
  [[nodiscard]] std::span<const TransitionId> matching(std::size_t action, bool terminated) const {
    return ids_[group_of(action, terminated)];
  }
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return classes_[group_of(action, terminated)];
  }

 private:
  static std::size_t group_of(std::size_t action, bool terminated) { return 2 * action + (terminated ? 1 : 0); }

  std::vector<Transition<Seen, Done>> transitions_;
  std::vector<TransitionRange> ranges_;
  std::vector<std::vector<TransitionId>> ids_;
  std::vector<std::vector<RewardClass>> classes_;
};

/// Answers every prompt with a fixed text, cut at stop strings and lengths. Neither movable nor copyable; none of the
/// capabilities.
class LanguageModel {
 public:
  explicit LanguageModel(std::string text) : text_(std::move(text)) {}
  LanguageModel(const LanguageModel&) = delete;
  LanguageModel& operator=(const LanguageModel&) = delete;

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size()) throw InvalidArgument("complete: spans of different length");
    for (std::size_t i = 0; i < requests.size(); ++i) completions[i] = answer(requests[i]);
  }
  [[nodiscard]] const char* identity() const { return "archetype"; }

 private:
  [[nodiscard]] Completion answer(const CompletionRequest& request) const {
    const Sampling& sampling = request.sampling;
    Completion completion;
    if (check_sampling(sampling) || !request.choices.empty() || request.want_logprobs) {
      completion.error = {ErrorCategory::invalid_request, "not offered", 0};
      return completion;
    }
    completion.text = text_;
    completion.finish = FinishReason::stop;
    for (const std::string_view stop : request.stop)
      completion.text.resize(std::min(completion.text.size(), completion.text.find(stop)));
    const auto most = static_cast<std::size_t>(sampling.max_tokens.value_or(100));  // a token is a byte
    if (completion.text.size() > most) {
      completion.text.resize(most);
      completion.finish = FinishReason::length;
    }
    completion.usage = {request.prefix.text.size() + request.query.size(), 0, completion.text.size()};
    return completion;
  }

  std::string text_;
};

/// Knows no answer to any question.
class RolloutModel {
 public:
  explicit RolloutModel(AnswerStatus status) : status_(status) {}
  RolloutModel(const RolloutModel&) = delete;
  RolloutModel& operator=(const RolloutModel&) = delete;
  void answer(std::span<const Question>, std::span<Answer> answers) const {
    for (Answer& answer : answers) answer = {.status = status_};
  }

 private:
  AnswerStatus status_;
};

static_assert(icpi::Environment<Environment> && !StateSettable<Environment> && !Enumerable<Environment>);
static_assert(StateSettable<TransparentEnvironment> && Enumerable<TransparentEnvironment>);
static_assert(!std::copyable<Environment> && !std::default_initializable<Seen> && !std::totally_ordered<Seen>);
static_assert(PromptFormatter<Formatter, Environment> && !ParsesObservations<Formatter, Environment>);
static_assert(ParsesObservations<ReadingFormatter, TransparentEnvironment>);
static_assert(ReplayBuffer<Buffer, Environment> && !std::movable<Buffer>);
static_assert(icpi::LanguageModel<LanguageModel> && !std::movable<LanguageModel>);
static_assert(!CountsTokens<LanguageModel> && !HasContextLimit<LanguageModel> && !ConstrainsChoices<LanguageModel> &&
              !ScoresContinuations<LanguageModel> && !AsynchronousLanguageModel<LanguageModel>);
static_assert(icpi::RolloutModel<RolloutModel> && !AsynchronousRolloutModel<RolloutModel>);

}  // namespace icpi::archetype
