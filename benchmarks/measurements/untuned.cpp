// SPDX-License-Identifier: MIT
// The four environments of tests/untuned, which nothing was tuned on, with the recommended options and the embedded
// model: auc / last 20 % of the regret, beside an agent that acts at random.

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/baselines/random_agent.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/experiment/vector_runner.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "table_arguments.hpp"
#include "untuned/frozen_lake.hpp"
#include "untuned/key_corridor.hpp"
#include "untuned/planar_mass.hpp"
#include "untuned/two_armed_bandit.hpp"

namespace icpi::measurements {
namespace {

struct Facts {
  std::string_view name;
  std::size_t horizon = 0;
  int rollout_limit = 0;    ///< the longest episode
  double return_scale = 1;  ///< the highest possible return
};

/// The best expected return from a first observation on; each is computed once.
template <class Env>
class StartReturns {
 public:
  double operator()(const typename Env::Observation& start) {
    const auto [place, added] = known_.try_emplace(start, 0);
    if (added) place->second = optimal_return(env_, start, env_.discount());
    return place->second;
  }

 private:
  Env env_;
  std::map<typename Env::Observation, double> known_;
};

/// The curve of the agents that make(seed) makes. Seeds one after the other: one model's prefixes at a time.
template <class Env, class Make>
RegretCurve play(const Facts& facts, SeedRange seeds, StartReturns<Env>& best, const Make& make) {
  using Agent = typename decltype(make(std::uint64_t{0}))::element_type;
  std::vector<EpisodeRecord> records;
  for (std::uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    std::vector<Player<Env, Agent>> players;
    players.push_back({Env{}, make(seed), seed});
    VectorRunner<Env, Agent> run(
        players, {std::string(facts.name), "", "", facts.horizon, Env{}.discount(), facts.return_scale});
    run.play(best, [&](const EpisodeRecord& record) {
      records.push_back(record);
      return true;
    });
  }
  return regret_curve(records, facts.horizon);
}

template <class Env>
void measure(const Facts& facts, SeedRange seeds) {
  StartReturns<Env> best;
  const RegretCurve random =
      play(facts, seeds, best, [](std::uint64_t seed) { return std::make_unique<RandomAgent<Env>>(Env{}, seed); });
  InductionModel model;
  const RegretCurve icpi = play(facts, seeds, best, [&](std::uint64_t seed) {
    PolicyIterationOptions options = icpi::PolicyIterationOptions{};
    options.seed = seed;
    icpi_test::rollouts_of(options).step_limit = facts.rollout_limit;
    return std::make_unique<PolicyIteration<Env, InductionModel>>(Env{}, model, options);
  });
  const auto cells = [](const RegretCurve& curve) { return cell(curve.auc) + " / " + cell(curve.last20); };
  fmt::print("| {} | {} | {} | {} |\n", facts.name, facts.horizon, cells(icpi), cells(random));
  std::fflush(stdout);
}

}  // namespace
}  // namespace icpi::measurements

int main(int argc, char** argv) {
  using namespace icpi;
  return measurements::print_table([&] {
    const SeedRange seeds = measurements::table_seeds(argc, argv, "2000:2040");
    fmt::print("| auc / last 20 %, seeds {}:{} | steps | `best` | random |\n|---|---|---|---|\n", seeds.first,
               seeds.last);
    std::fflush(stdout);
    measurements::measure<untuned::FrozenLake>({"frozen lake", 200, 16, 1}, seeds);
    measurements::measure<untuned::TwoArmedBandit>({"two-armed bandit", 120, 3, 3}, seeds);
    measurements::measure<untuned::KeyCorridor>({"key corridor", 300, 20, 1}, seeds);
    measurements::measure<untuned::PlanarMass>({"planar mass", 300, 10, 1}, seeds);
  });
}
