// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/replay/trajectory_buffer.hpp"

// Types as users bring them, each member of which writes down that it was called, and by which thread.

namespace icpi::testing {

/// Calls since the last clear(), by name of the member. Thread-safe.
class CallLog {
 public:
  void note(std::string_view member) {
    const std::lock_guard lock(mutex_);
    ++counts_[std::string(member)];
    threads_.insert(std::this_thread::get_id());
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    counts_.clear();
    threads_.clear();
  }
  [[nodiscard]] std::size_t count(const std::string& member) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(member);
    return found == counts_.end() ? 0 : found->second;
  }
  /// All of these together.
  [[nodiscard]] std::size_t count(std::initializer_list<const char*> members) const {
    std::size_t sum = 0;
    for (const auto* member : members) sum += count(member);
    return sum;
  }
  [[nodiscard]] std::map<std::string, std::size_t> counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  [[nodiscard]] std::set<std::thread::id> threads() const {
    const std::lock_guard lock(mutex_);
    return threads_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> counts_;
  std::set<std::thread::id> threads_;
};

/// Cells 0 to 4 in a row, the last of which pays and ends. Its copies share a log.
class LoggedWorld {
 public:
  using Observation = int;
  using Action = int;
  static constexpr std::array<int, 3> steps{-1, 0, 1};

  explicit LoggedWorld(std::shared_ptr<CallLog> log) : log_(std::move(log)) {}

  [[nodiscard]] const std::array<int, 3>& actions() const {
    log_->note("actions");
    return steps;
  }
  [[nodiscard]] double discount() const {
    log_->note("discount");
    return 0.8;
  }
  int reset(std::uint64_t seed) {
    log_->note("reset");
    cell_ = static_cast<int>(seed % 4);
    count_ = 0;
    return cell_;
  }
  Step<int> step(int action) {
    log_->note("step");
    cell_ = cell_ + action < 0 ? 0 : cell_ + action;
    const bool ended = cell_ == 4;
    return {cell_, ended ? 1.0 : 0.0, ended, !ended && ++count_ == 8};
  }
  [[nodiscard]] const std::shared_ptr<CallLog>& log() const { return log_; }

 private:
  std::shared_ptr<CallLog> log_;
  int cell_ = 0;
  int count_ = 0;
};
static_assert(Environment<LoggedWorld>);

/// Its texts; those of a kind are equally long. No member calls another through the log.
class LoggedText {
 public:
  explicit LoggedText(const LoggedWorld& world) : log_(world.log()) {}

  [[nodiscard]] std::string observation(int cell) const { return noted("observation", seen(cell)); }
  [[nodiscard]] std::string action(int action) const { return noted("action", done(action)); }
  [[nodiscard]] std::string reward(double value) const { return noted("reward", gained(value)); }
  [[nodiscard]] std::string termination(bool ended) const {
    return noted("termination", ended ? "end 1\n" : "end 0\n");
  }
  [[nodiscard]] std::string episode_start() const { return noted("episode_start", "\nstart\n"); }
  [[nodiscard]] std::string trajectory_step(const TransitionOf<LoggedWorld>& t) const {
    return noted("trajectory_step", seen(t.observation) + done(t.action) + gained(t.reward));
  }
  [[nodiscard]] std::string stop(QueryKind) const { return noted("stop", "\n"); }

  [[nodiscard]] std::optional<int> parse_action(std::string_view text) const {
    log_->note("parse_action");
    for (const int action : LoggedWorld::steps)
      if (done(action) == std::string(text) + "\n") return action;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    log_->note("parse_reward");
    if (text == "gain 1") return 1;
    return text == "gain 0" ? std::optional(0.0) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    log_->note("parse_termination");
    if (text == "end 1") return true;
    return text == "end 0" ? std::optional(false) : std::nullopt;
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const {
    log_->note("accepts_observation");
    return text.size() == 6 && text.starts_with("cell ");
  }

 private:
  static std::string seen(int cell) { return "cell " + std::to_string(cell) + "\n"; }
  static std::string done(int action) { return action < 0 ? "go back\n" : action == 0 ? "go none\n" : "go on..\n"; }
  static std::string gained(double value) { return value > 0 ? "gain 1\n" : "gain 0\n"; }
  [[nodiscard]] std::string noted(const char* member, std::string text) const {
    log_->note(member);
    return text;
  }

  std::shared_ptr<CallLog> log_;
};
static_assert(PromptFormatter<LoggedText, LoggedWorld>);

/// What a TrajectoryBuffer does.
class LoggedBuffer {
 public:
  using Recorded = TransitionOf<LoggedWorld>;

  explicit LoggedBuffer(const LoggedWorld& world) : log_(world.log()), buffer_(world) {}

  void append(std::span<const Recorded> trajectory) { noted("append").append(trajectory); }
  void extend(const Recorded& transition) { noted("extend").extend(transition); }
  void close() { noted("close").close(); }
  [[nodiscard]] std::size_t size() const { return noted("size").size(); }
  const Recorded& operator[](TransitionId id) const { return noted("[]")[id]; }
  [[nodiscard]] std::size_t action_index(TransitionId id) const { return noted("action_index").action_index(id); }
  [[nodiscard]] std::size_t trajectory_count() const { return noted("trajectory_count").trajectory_count(); }
  [[nodiscard]] TransitionIds trajectory(std::size_t number) const { return noted("trajectory").trajectory(number); }
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const {
    return noted("matching").matching(action, terminated);
  }
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return noted("reward_classes").reward_classes(action, terminated);
  }

 private:
  TrajectoryBuffer<LoggedWorld>& noted(const char* member) {
    log_->note(member);
    return buffer_;
  }
  const TrajectoryBuffer<LoggedWorld>& noted(const char* member) const {
    log_->note(member);
    return buffer_;
  }

  std::shared_ptr<CallLog> log_;
  TrajectoryBuffer<LoggedWorld> buffer_;
};
static_assert(ReplayBuffer<LoggedBuffer, LoggedWorld>);

/// Any asynchronous model.
template <AsynchronousLanguageModel LM>
class LoggedSubmittedModel {
 public:
  LoggedSubmittedModel(std::shared_ptr<CallLog> log, LM model) : log_(std::move(log)), model_(std::move(model)) {}

  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    noted("complete").complete(requests, completions);
  }
  void submit(const CompletionRequest& request, Ticket ticket) { noted("submit").submit(request, ticket); }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    return noted("collect").collect(finished, wait);
  }
  void cancel(Ticket ticket) { noted("cancel").cancel(ticket); }
  [[nodiscard]] std::size_t concurrency() { return noted("concurrency").concurrency(); }

 private:
  LM& noted(const char* member) {
    log_->note(member);
    return model_;
  }

  std::shared_ptr<CallLog> log_;
  LM model_;
};

/// A model of the world's dynamics that reads the query alone: its answers never depend on the examples. Allocates
/// nothing once completions have had their texts.
class LoggedWorldModel {
 public:
  explicit LoggedWorldModel(std::shared_ptr<CallLog> log) : log_(std::move(log)) {}

  [[nodiscard]] static std::string identity() { return "world"; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    log_->note("complete");
    for (std::size_t i = 0; i < requests.size(); ++i) {
      prompt_bytes += requests[i].prefix.text.size();
      completions[i].finish = FinishReason::stop;
      completions[i].error.category = ErrorCategory::none;
      completions[i].text.assign(answer(requests[i]));
    }
  }

  std::size_t prompt_bytes = 0;  ///< of all requests, without the queries

 private:
  /// Which question it is shows in the last line of the example before it.
  static std::string_view answer(const CompletionRequest& request) {
    if (request.query.starts_with('\n')) return "go on..";
    const auto example = request.prefix.text.substr(0, request.prefix.text.find_last_not_of('\n') + 1);
    const auto line = example.substr(example.rfind('\n') + 1);
    return line.starts_with("end") ? "end 0" : line.starts_with("gain") ? "gain 0" : "cell 2";
  }

  std::shared_ptr<CallLog> log_;
};
static_assert(LanguageModel<LoggedWorldModel>);

}  // namespace icpi::testing
