// SPDX-License-Identifier: MIT
// One agent alone in a FrozenLake against one in eight of them at once: after how many steps of each environment it has
// learned. Recommended options, embedded model. Learned: the first step after which 20 episodes in a row average at
// least .9; episodes of several environments are counted in the order of their completion. Then decisions a second, one
// at a time against eight together, with a model that takes 20 ms for every batch, whatever its size.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "table_arguments.hpp"
#include "untuned/frozen_lake.hpp"

namespace icpi::measurements {
namespace {

constexpr std::size_t in_a_row = 20;
constexpr double learned_mean = .9;
constexpr std::size_t most_steps = 2000;  ///< of each environment

/// As Gymnasium has it: from the first corner, at most 100 steps.
struct CornerRules : untuned::FrozenLakeRules {
  static int time_limit() { return 100; }
  static std::vector<Observation> starts() { return {{0, 0}}; }
};
using FrozenLake = untuned::ListedEnvironment<CornerRules>;
using FrozenLakeAgent = PolicyIteration<FrozenLake, InductionModel, untuned::FrozenLakeFormatter>;

/// Says when it has seen enough.
class Watch {
 public:
  /// An episode ended after so many steps of its environment.
  void episode(double gained, std::size_t steps) {
    returns_.push_back(gained);
    ends_.push_back(steps);
    if (returns_.size() < in_a_row) return;
    const double sum = std::accumulate(returns_.end() - static_cast<std::ptrdiff_t>(in_a_row), returns_.end(), 0.0);
    if (sum < learned_mean * static_cast<double>(in_a_row)) return;
    const std::size_t before = returns_.size() - in_a_row;
    learned_ = before == 0 ? 0 : ends_[before - 1];
    throw Learned();
  }

  struct Learned {};
  [[nodiscard]] std::size_t learned() const noexcept { return learned_; }

 private:
  std::vector<double> returns_;
  std::vector<std::size_t> ends_;
  std::size_t learned_ = most_steps;
};

/// Steps of each environment until the agent has learned; `most_steps` if it has not by then.
std::size_t steps_until_learned(std::size_t environments, std::uint64_t seed) {
  std::vector<FrozenLake> envs(environments);
  std::vector<FrozenLake*> all;
  for (auto& env : envs) all.push_back(&env);
  PolicyIterationOptions options;
  options.seed = seed;
  InductionModel model;
  FrozenLakeAgent agent(envs[0], model, options);
  Watch watch;
  std::vector<std::size_t> steps(environments, 0);
  for (std::size_t i = 0; i < environments; ++i) {
    auto& callbacks = agent.environment(i).callbacks();
    callbacks.on_step = [&steps, i](const auto&) { ++steps[i]; };
    callbacks.on_episode = [&watch, &steps, i](const auto& episode) { watch.episode(episode.back().reward, steps[i]); };
  }
  try {
    agent.train(all, {.steps = environments * most_steps});
  } catch (const Watch::Learned&) {
  }
  return watch.learned();
}

double median(std::vector<std::size_t> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? static_cast<double>(values[half])
                                : static_cast<double>(values[half - 1] + values[half]) / 2;
}

/// The embedded model, 20 ms for every batch.
class SlowModel {
 public:
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    model_.complete(requests, completions);
    std::this_thread::sleep_until(until);
  }

 private:
  InductionModel model_;
};

/// Decisions a second of an agent in so many environments, over `decisions` after 20 episodes' experience.
double decisions_a_second(std::size_t environments, std::size_t decisions) {
  std::vector<FrozenLake> envs(environments);
  std::vector<FrozenLake*> all;
  for (auto& env : envs) all.push_back(&env);
  const PolicyIterationOptions options = icpi_test::much_asking_options(1);
  InductionModel fast;
  FrozenLakeAgent experienced(envs[0], fast, options);
  experienced.train(envs[0], {.episodes = 20});
  SlowModel model;
  PolicyIteration<FrozenLake, SlowModel, untuned::FrozenLakeFormatter> agent(
      envs[0], model, options, untuned::FrozenLakeFormatter(), experienced.memory().buffer);
  const auto began = std::chrono::steady_clock::now();
  const TrainingResult result = agent.train(all, {.steps = decisions});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return static_cast<double>(result.steps) / took.count();
}

}  // namespace
}  // namespace icpi::measurements

int main(int argc, char** argv) {
  using namespace icpi;
  return measurements::print_table([&] {
    const SeedRange seeds = measurements::table_seeds(argc, argv, "0:20");
    std::vector<std::size_t> alone;
    std::vector<std::size_t> shared;
    fmt::print("| seed | alone | each of 8 |\n|---|---|---|\n");
    for (std::uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
      alone.push_back(measurements::steps_until_learned(1, seed));
      shared.push_back(measurements::steps_until_learned(8, seed));
      fmt::print("| {} | {} | {} |\n", seed, alone.back(), shared.back());
      std::fflush(stdout);
    }
    const double first = measurements::median(alone);
    const double second = measurements::median(shared);
    fmt::print("| median | {} | {} |\n\nratio of the medians: {:.3f}, at most .25 is asked for\n", first, second,
               second / first);
    const double single = measurements::decisions_a_second(1, 64);
    const double together = measurements::decisions_a_second(8, 512);
    fmt::print("decisions a second with 20 ms a batch: {:.2f} alone, {:.2f} in eight environments: {:.2f} times\n",
               single, together, together / single);
  });
}
