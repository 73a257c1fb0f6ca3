// SPDX-License-Identifier: MIT
// The shipped domains behind examples/environment_server.cpp are what they are in this process, to the last byte.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../../examples/domain_fields.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/experiment/vector_runner.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/process/environment.hpp"

namespace icpi {
namespace {

/// A domain that lives in another process; its text is its own.
template <class Domain>
class Remote {
 public:
  using Observation = typename Domain::Observation;
  using Action = typename Domain::Action;

  explicit Remote(ProcessEnvironment env) : env_(std::move(env)), bindings_(domain_fields::of(Domain{})) {}

  static auto actions() { return Domain::action_set; }
  [[nodiscard]] double discount() const { return env_.discount(); }
  Observation reset(std::uint64_t seed) { return read(env_.reset(seed)); }
  Step<Observation> step(Action action) {
    auto step = env_.step("action_" + std::to_string(static_cast<int>(action)));
    return {read(step.observation), step.reward, step.terminated, step.truncated};
  }
  static void begin_resets(std::span<Remote* const> envs, std::span<const std::uint64_t> seeds) {
    ProcessEnvironment::begin_resets(remotes(envs), seeds);
  }
  static void begin_steps(std::span<Remote* const> envs, std::span<const Action* const> actions) {
    std::vector<std::string> names;
    std::vector<const std::string*> pointers;
    for (const auto* action : actions) names.push_back("action_" + std::to_string(static_cast<int>(*action)));
    for (const auto& name : names) pointers.push_back(&name);
    ProcessEnvironment::begin_steps(remotes(envs), pointers);
  }

 private:
  static std::vector<ProcessEnvironment*> remotes(std::span<Remote* const> envs) {
    std::vector<ProcessEnvironment*> all;
    for (auto* env : envs) all.push_back(&env->env_);
    return all;
  }
  Observation read(const FieldValues& values) const {
    Observation seen{};
    for (std::size_t i = 0; i < bindings_.size(); ++i) EXPECT_TRUE(bindings_[i].set(seen, values[i]));
    return seen;
  }

  ProcessEnvironment env_;
  std::vector<FieldBinding<Observation>> bindings_;
};

template <class Domain, class Env, class Text>
std::string records(std::vector<Env> envs, const Text& text) {
  InductionModel model;
  const DomainFacts facts = Domain{}.facts();
  using Agent = PolicyIteration<Env, InductionModel, Text>;
  std::vector<Player<Env, Agent>> players;
  for (std::uint64_t seed = 0; seed < envs.size(); ++seed) {
    PolicyIterationOptions options;
    options.seed = seed;
    options.decisions.values = Planning{{.step_limit = facts.rollout_limit}};
    auto agent = std::make_unique<Agent>(envs[seed], model, options, text);
    players.push_back({std::move(envs[seed]), std::move(agent), seed});
  }
  VectorRunner<Env, Agent> runner(
      players, {std::string(facts.name), "icpi", "induction", 14, facts.evaluation_discount, facts.return_scale});
  Solver<Domain> solver(Domain{}, facts.evaluation_discount);
  std::string lines;
  runner.play([&](const auto& start) { return solver.optimal_return(start); },
              [&](const EpisodeRecord& record) {
                lines += to_json(record) + '\n';
                return true;
              });
  return lines;
}

template <class Domain>
class Domains : public ::testing::Test {};
using All = ::testing::Types<Chain, DistractorChain, Maze, MiniCatch, MiniInvaders, PointMass>;
TYPED_TEST_SUITE(Domains, All);

TYPED_TEST(Domains, RecordsAreThoseOfThisProcess) {
  using Text = default_formatter_t<TypeParam>;
  constexpr std::size_t seeds = 2;
  const std::string here = records<TypeParam>(std::vector<TypeParam>(seeds), Text(TypeParam{}));
  ProcessOptions options;
  options.command = {ICPI_DOMAIN_SERVER, std::string(TypeParam::name)};
  options.timeout = std::chrono::seconds(60);
  std::vector<Remote<TypeParam>> remotes;
  for (auto& env : ProcessEnvironment::start(options, seeds)) remotes.emplace_back(std::move(env));
  static_assert(BeginsTogether<Remote<TypeParam>>);
  EXPECT_FALSE(here.empty());
  EXPECT_EQ(records<TypeParam>(std::move(remotes), Text(TypeParam{})), here);
}

}  // namespace
}  // namespace icpi
