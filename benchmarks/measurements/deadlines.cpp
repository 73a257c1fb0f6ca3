// SPDX-License-Identifier: MIT
// measure_deadlines [DECISIONS]: how late act() is when it has 10 ms, in the chain: beside a bare timer, asked in turn in
// this process. The model of the first table answers each question after a random time with a heavy tail (Pareto, at
// least 0.3 ms, exponent 1.1), 32 at a time; that of the second answers in batches, 2 ms for each chunk of 8. Both know
// the answers, so that no time but the library's own is added to these. Prints quantiles of the lateness in milliseconds;
// DECISIONS (10000) of each kind take 10 ms each.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi::measurements {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr auto time_to_decide = std::chrono::milliseconds(10);

/// A perfect model whose answers take their time; what waits does so in collect().
class HeavyTailedModel {
 public:
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  [[nodiscard]] static std::size_t concurrency() { return 32; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model_.complete(requests, completions);
  }

  void submit(const CompletionRequest& request, Ticket ticket) {
    const double wait = 0.3 / std::pow(1 - stream_.uniform(), 1 / 1.1);
    const auto due = Clock::now() + std::chrono::duration_cast<Clock::duration>(Milliseconds(std::min(wait, 1e4)));
    pending_.push_back({due, ticket, {}});
    model_.complete(std::span(&request, 1), std::span(&pending_.back().completion, 1));
  }

  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    if (pending_.empty()) return 0;
    const auto due = [](const Pending& one, const Pending& other) { return one.due < other.due; };
    const auto next = std::min_element(pending_.begin(), pending_.end(), due)->due;
    std::this_thread::sleep_until(std::min(next, Clock::now() + wait));
    std::size_t count = 0;
    for (std::size_t i = 0; i < pending_.size() && count < finished.size();) {
      if (pending_[i].due > Clock::now()) {
        ++i;
        continue;
      }
      finished[count].ticket = pending_[i].ticket;
      std::swap(finished[count++].completion, pending_[i].completion);
      std::swap(pending_[i], pending_.back());
      pending_.pop_back();
    }
    return count;
  }

  void cancel(Ticket ticket) {
    for (auto& each : pending_) {
      if (each.ticket != ticket) continue;
      each.due = Clock::time_point::min();
      each.completion.error = {ErrorCategory::cancelled, "no longer wanted", 0};
    }
  }

 private:
  struct Pending {
    Clock::time_point due;
    Ticket ticket = 0;
    Completion completion;
  };

  OracleModel<Chain> model_;
  RandomStream stream_{RandomKey(1)};
  std::vector<Pending> pending_;
};

/// A perfect model that takes 2 ms for every batch.
class SlowModel {
 public:
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    const auto until = Clock::now() + std::chrono::milliseconds(2);
    model_.complete(requests, completions);
    std::this_thread::sleep_until(until);
  }

 private:
  OracleModel<Chain> model_;
};

/// Lateness of everything that was measured, in ms.
struct Lateness {
  std::vector<double> values;

  void add(Clock::time_point began) {
    values.push_back(std::max(0.0, Milliseconds(Clock::now() - began - time_to_decide).count()));
  }
  [[nodiscard]] double quantile(double part) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
  }
};

template <class Model>
void measure(std::string_view name, int decisions, const PolicyIterationOptions& options) {
  Chain env;
  Model model;
  PolicyIteration<Chain, Model> agent(env, model, options);
  Lateness timer, acting;
  int in_time = 0;
  for (int step = 0; step < decisions;) {
    auto observation = env.reset(static_cast<std::uint64_t>(step));
    agent.begin_episode(observation);
    for (bool runs = true; runs && step < decisions; ++step) {
      auto began = Clock::now();
      std::this_thread::sleep_until(began + time_to_decide);
      timer.add(began);
      began = Clock::now();
      const auto action = agent.act(observation, Until::after(time_to_decide));
      acting.add(began);
      if (!agent.decision().cut_short) ++in_time;
      const auto taken = env.step(action);
      agent.observe(taken);
      observation = taken.observation;
      runs = !taken.terminated && !taken.truncated;
    }
  }
  fmt::print("{}: {} decisions, {} done before the deadline\n", name, decisions, in_time);
  fmt::print("| quantile | timer | act | difference |\n|---|---|---|---|\n");
  for (const double part : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double of_timer = timer.quantile(part), of_act = acting.quantile(part);
    fmt::print("| {:.3f} | {:.2f} | {:.2f} | {:.2f} |\n", part, of_timer, of_act, of_act - of_timer);
  }
}

}  // namespace
}  // namespace icpi::measurements

int main(int argc, char** argv) {
  const int decisions = argc > 1 ? std::atoi(argv[1]) : 10000;
  icpi::PolicyIterationOptions options = icpi::paper_options();
  options.decisions.explorations.clear();
  icpi::measurements::measure<icpi::measurements::HeavyTailedModel>("asynchronous model", decisions, options);
  options.queries.chunk = 8;
  icpi::measurements::measure<icpi::measurements::SlowModel>("model in batches", decisions, options);
}
