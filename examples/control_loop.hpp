// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/until.hpp"

/// A host that owns its loop: it steps an environment at a fixed period and waits for nobody. An agent decides on a thread of
/// its own, each time until a deadline. Where no decision is there in time the host does what is safe, and tells the agent.
namespace control_loop {

using TimePoint = icpi::Until::Clock::time_point;

/// What the agent is told at the beginning of a tick.
template <class Env>
struct Question {
  typename Env::Observation seen{};  ///< now
  icpi::TrajectoryOf<Env> done{};    ///< the steps since the last question, as they were really done
  bool decided = false;              ///< the first of them is what the agent decided last
  TimePoint deadline{};              ///< of the decision
};

/// What the agent decided.
template <class Env>
struct Answer {
  typename Env::Action action{};
  bool cut_short = false;  ///< the time was up: the best estimate so far, or a random action
};

/// The agent's side. Thread-safety: one object by one thread at a time, the agent's.
template <class Env, class Agent>
class Player {
 public:
  /// `agent` must outlive it and be used by nobody else meanwhile.
  explicit Player(Agent& agent) : agent_(agent) {}

  /// Takes in what was done, and decides. Passes on what the agent throws.
  Answer<Env> decide(const Question<Env>& question, const icpi::Until& until) {
    learn(question);
    if (!std::exchange(running_, true)) agent_.begin_episode(question.seen);
    const auto action = agent_.act(question.seen, until);
    return {action, agent_.decision().cut_short};
  }

 private:
  void learn(const Question<Env>& question) {
    std::span done(question.done);
    if (question.decided) {
      const auto& own = done.front();
      agent_.observe({own.next_observation, own.reward, own.terminated, own.truncated});
      running_ = !own.terminated && !own.truncated;
      done = done.subspan(1);
    }
    if (!done.empty()) import(done);
  }

  /// The host acted in the agent's place: its episode is broken off, and what was done comes as experience from elsewhere.
  void import(std::span<const icpi::TransitionOf<Env>> done) {
    agent_.abandon();
    running_ = false;
    icpi::TrajectoryOf<Env> trajectory;
    for (const auto& step : done) {
      trajectory.push_back(step);
      const bool ends = step.terminated || step.truncated;
      if (!ends && &step != &done.back()) continue;
      trajectory.back().truncated = !step.terminated;
      agent_.import(std::exchange(trajectory, {}));
    }
  }

  Agent& agent_;
  bool running_ = false;  ///< the agent's episode
};

/// A thread that decides. Its destructor ends a decision that is under way.
/// Thread-safety: members may be called concurrently. They hold a lock for as long as it takes to copy a question.
template <class Env>
class AgentThread {
 public:
  /// Called on the thread of its own alone; must return soon after the Until is over.
  using Decide = std::function<Answer<Env>(const Question<Env>&, const icpi::Until&)>;

  explicit AgentThread(Decide decide)
      : decide_(std::move(decide)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

  /// Asks, without waiting; an answer that was not taken is dropped. False: the thread is still busy with the question before,
  /// or has failed.
  bool ask(const Question<Env>& question) {
    const std::lock_guard lock(mutex_);
    if (busy_) return false;
    busy_ = true;
    answer_.reset();
    question_ = question;
    asked_.notify_one();
    return true;
  }

  /// The answer to the last question, if it is there.
  std::optional<Answer<Env>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }

  /// What the decision threw that was the last; null: none did.
  [[nodiscard]] std::exception_ptr failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!failure_ && asked_.wait(lock, stop, [this] { return busy_; })) {
      const Question<Env> question = std::exchange(question_, {});
      std::optional<Answer<Env>> answer;
      std::exception_ptr failure;
      lock.unlock();
      try {
        answer = decide_(question, {.deadline = question.deadline, .stop = stop});
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      answer_ = answer;
      failure_ = failure;
      busy_ = failure != nullptr;  // who has failed is asked nothing more
    }
  }

  Decide decide_;
  mutable std::mutex mutex_;
  std::condition_variable_any asked_;
  bool busy_ = false;
  Question<Env> question_;
  std::optional<Answer<Env>> answer_;
  std::exception_ptr failure_;
  std::jthread thread_;  ///< ends before anything else goes
};

/// The clock of deadlines.
struct SteadyClock {
  [[nodiscard]] static TimePoint now() { return icpi::Until::Clock::now(); }
  static void sleep_until(TimePoint time) { std::this_thread::sleep_until(time); }
};

/// When what happens in a tick, from its beginning. The deadline comes before the command is due by as much as a decision may
/// be late: one chunk of questions of a model that cannot be cancelled.
struct Timing {
  std::chrono::nanoseconds period = std::chrono::milliseconds(10);   ///< of ticks
  std::chrono::nanoseconds deadline = std::chrono::milliseconds(7);  ///< of the decision
  std::chrono::nanoseconds due = std::chrono::milliseconds(9);       ///< of the command
};

/// What came of it, by ticks.
struct Report {
  std::size_t in_time = 0;    ///< the agent's decision was carried out
  std::size_t cut_short = 0;  ///< of these: the agent had no time to finish it
  std::size_t late = 0;       ///< the agent was asked, and its decision was not there when it was due
  std::size_t not_asked = 0;  ///< the agent was still busy with an earlier question, or has failed
  std::vector<std::chrono::nanoseconds> lateness{};  ///< of the command, which is the loop's own
  std::vector<double> returns{};                     ///< of the episodes that ended
};

/// Runs so many ticks. Each shows the agent what is seen, waits until the command is due, and carries it out: the agent's
/// decision where that is there, else `safe`. Episode number n begins with reset(n). `Clock` has now() and sleep_until(), `Agent`
/// ask() and take() as AgentThread has. Passes on what the environment throws.
template <class Env, class Clock, class Agent>
Report run(Env& env, const typename Env::Action& safe, Clock& clock, Agent& agent, std::size_t ticks,
           const Timing& timing = {}) {
  Report report;
  Question<Env> question{.seen = env.reset(0)};
  double total = 0;
  TimePoint begins = clock.now();
  for (std::size_t tick = 0; tick < ticks; ++tick, begins += timing.period) {
    clock.sleep_until(begins);
    question.deadline = begins + timing.deadline;
    const bool asked = agent.ask(question);
    clock.sleep_until(begins + timing.due);
    report.lateness.push_back(clock.now() - begins - timing.due);
    const std::optional<Answer<Env>> answer = asked ? agent.take() : std::nullopt;
    ++(answer ? report.in_time : asked ? report.late : report.not_asked);
    report.cut_short += answer && answer->cut_short ? 1 : 0;

    const auto action = answer ? answer->action : safe;
    const auto step = env.step(action);
    if (asked) {
      question.done.clear();
      question.decided = answer.has_value();
    }
    question.done.push_back({question.seen, action, step.reward, step.terminated, step.truncated, step.observation});
    question.seen = step.observation;
    total += step.reward;
    if (!step.terminated && !step.truncated) continue;
    report.returns.push_back(std::exchange(total, 0.0));
    question.seen = env.reset(report.returns.size());
  }
  return report;
}

}  // namespace control_loop
