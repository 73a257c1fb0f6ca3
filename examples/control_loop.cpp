// SPDX-License-Identifier: MIT
// control_loop [TICKS]: a host with a loop of its own, of 100 ticks a second, that waits for nobody. The ball of MiniCatch falls
// by a row every tick; the agent decides on a thread of its own and has 7 ms for it. Where its decision is not there in time the
// paddle stays where it is. Prints how often that was, and how late the loop itself was.
#include "control_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <numeric>

#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/icpi.hpp"

namespace {

using Game = icpi::MiniCatch;
using Agent = icpi::PolicyIteration<Game, icpi::InductionModel>;

double mean(const std::vector<double>& values, std::size_t first, std::size_t last) {
  const auto at = [&](std::size_t place) { return values.begin() + static_cast<std::ptrdiff_t>(place); };
  return std::accumulate(at(first), at(last), 0.0) / static_cast<double>(std::max<std::size_t>(last - first, 1));
}

void print(control_loop::Report report) {
  fmt::print("{} ticks: {} decisions in time, {} of them cut short; {} late, {} not asked for\n",
             report.lateness.size(), report.in_time, report.cut_short, report.late, report.not_asked);
  std::sort(report.lateness.begin(), report.lateness.end());
  for (const double part : {0.5, 0.99, 1.0}) {
    const auto place = static_cast<std::size_t>(part * static_cast<double>(report.lateness.size() - 1));
    const std::chrono::duration<double, std::milli> late = report.lateness[place];
    fmt::print("commands late by at most {:.2f} ms in {:.0f} % of the ticks\n", late.count(), 100 * part);
  }
  const std::size_t episodes = report.returns.size();
  fmt::print("balls caught: {:.0f} % of the first {}, {:.0f} % of the last {}\n",
             100 * mean(report.returns, 0, episodes / 3), episodes / 3,
             100 * mean(report.returns, episodes - episodes / 3, episodes), episodes / 3);
}

}  // namespace

int main(int count, char** words) {
  const std::size_t ticks = count > 1 ? std::strtoull(words[1], nullptr, 10) : 300;
  if (ticks == 0) return 2;
  Game env;
  icpi::InductionModel model;
  Agent agent(env, model, {.seed = 1});
  control_loop::Player<Game, Agent> player(agent);
  control_loop::SteadyClock clock;
  control_loop::AgentThread<Game> thread([&](const control_loop::Question<Game>& question, const icpi::Until& until) {
    return player.decide(question, until);  // learns what was done, and acts until the deadline
  });
  print(control_loop::run(env, icpi::MiniCatchAction::stay, clock, thread, ticks));
  if (!thread.failure()) return 0;
  try {
    std::rethrow_exception(thread.failure());
  } catch (const std::exception& error) {
    fmt::print(stderr, "the agent failed: {}\n", error.what());
  }
  return 1;
}
