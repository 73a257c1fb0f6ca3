// SPDX-License-Identifier: MIT
// One environment of several that fails leaves the others running, whichever it is; what is not its doing ends training.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/policy/several_environments.hpp"
#include "support/agent_options.hpp"
#include "support/gates.hpp"

namespace icpi {
namespace {

using ::testing::HasSubstr;

PolicyIterationOptions options_with(bool within_episode) {
  PolicyIterationOptions options = paper_options();
  options.seed = 3;
  options.prompts.examples = AppendOnlyExamples{};
  options.prompts.context_tokens = 500;
  options.decisions.update_within_episode = within_episode;
  options.decisions.explorations = {WarmUp{.successes = 1}};
  icpi_test::rollouts_of(options).step_limit = 3;
  return options;
}

/// A chain in which something goes wrong in one episode.
struct Brittle : Chain {
  enum class Fault : std::uint8_t { none, reset, step, reward, first_text, next_text };
  static constexpr int odd = 90;  ///< a place that the formatter does not accept

  explicit Brittle(Fault what = Fault::none) : fault(what) {}
  Observation reset(std::uint64_t seed) {
    ++episode;
    const auto first = Chain::reset(seed);
    if (!due()) return first;
    if (fault == Fault::reset) throw std::runtime_error("it broke");
    return fault == Fault::first_text ? Observation{odd} : first;
  }
  Step<Observation> step(const Action& action) {
    auto result = Chain::step(action);
    if (!due()) return result;
    if (fault == Fault::step) throw std::runtime_error("it broke");
    if (fault == Fault::reward) result.reward = std::numeric_limits<double>::quiet_NaN();
    if (fault == Fault::next_text) result.observation = Observation{odd};
    return result;
  }
  [[nodiscard]] bool due() const { return episode == 4; }

  Fault fault;
  int episode = 0;
};

struct BrittleText : ChainFormatter {
  explicit BrittleText(const Brittle& env) : ChainFormatter(env) {}
  [[nodiscard]] bool accepts_observation(std::string_view text) const {
    return text.find("90") == std::string_view::npos && ChainFormatter::accepts_observation(text);
  }
};

struct Case {
  Brittle::Fault fault;
  const char* name;
  const char* says;
};

class AFailure : public ::testing::TestWithParam<std::tuple<Case, std::size_t, bool>> {};
INSTANTIATE_TEST_SUITE_P(
    Kinds, AFailure,
    ::testing::Combine(::testing::Values(Case{Brittle::Fault::reset, "Reset", "it broke"},
                                         Case{Brittle::Fault::step, "Step", "it broke"},
                                         Case{Brittle::Fault::reward, "Reward", "not finite"},
                                         Case{Brittle::Fault::first_text, "FirstText", "accepts_observation"},
                                         Case{Brittle::Fault::next_text, "NextText", "accepts_observation"}),
                       ::testing::Values(std::size_t{0}, std::size_t{1}), ::testing::Bool()),
    [](const auto& each) {
      return std::string(std::get<0>(each.param).name) + std::to_string(std::get<1>(each.param)) +
             (std::get<2>(each.param) ? "Online" : "");
    });

TEST_P(AFailure, LeavesTheOthersRunningAndIsReported) {
  const auto [what, broken, within_episode] = GetParam();
  InductionModel model;
  std::vector<Brittle> envs(3);
  envs[broken].fault = what.fault;
  std::vector<Brittle*> all;
  for (Brittle& env : envs) all.push_back(&env);
  PolicyIteration<Brittle, InductionModel, BrittleText> agent(envs[0], model, options_with(within_episode));
  const auto result = agent.train(all, {.episodes = 40});
  EXPECT_EQ(result.end, TrainingEnd::episodes);
  EXPECT_EQ(result.episodes, 40U);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].environment, broken);
  EXPECT_THAT(result.failures[0].message, HasSubstr(what.says));
  EXPECT_EQ(result.failures[0].episode, 3U);
  for (std::size_t i = 0; i < envs.size(); ++i) {
    EXPECT_EQ(envs[i].episode == 4, i == broken);
    EXPECT_EQ(envs[i].episode > 10, i != broken);
  }
  const auto& buffer = agent.memory().buffer;
  for (TransitionId id = 0; id < buffer.size(); ++id) EXPECT_TRUE(std::isfinite(buffer[id].reward));
  envs[broken].fault = Brittle::Fault::none;  // it may come back
  EXPECT_EQ(agent.train(all, {.episodes = 6}).failures.size(), 0U);
}

TEST(SharedTraining, EndsWhenAllHaveFailed) {
  InductionModel model;
  std::vector<Brittle> envs{Brittle(Brittle::Fault::reset), Brittle(Brittle::Fault::step)};
  std::vector<Brittle*> both{&envs[0], &envs[1]};
  PolicyIteration<Brittle, InductionModel, BrittleText> agent(envs[0], model, options_with(true));
  const auto result = agent.train(both, {.episodes = 40});
  EXPECT_EQ(result.end, TrainingEnd::failed);
  EXPECT_EQ(result.failures.size(), 2U);
}

using GatesAgent = PolicyIteration<testing::Gates, InductionModel, testing::ParsingGatesText>;

/// Becomes unreachable when `asked` has risen by some: in the middle of a decision, since imagination asks.
class GoneInImagination : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Which, GoneInImagination, ::testing::Values(std::size_t{0}, std::size_t{1}));

TEST_P(GoneInImagination, LeavesTheOthersDeciding) {
  InductionModel model;
  std::vector<testing::Gates> envs{testing::Gates(false), testing::Gates(true), testing::Gates(false)};
  std::vector<testing::Gates*> all{&envs[0], &envs[1], &envs[2]};
  const std::size_t gone = GetParam();
  PolicyIterationOptions options;
  options.decisions.values.get_if<Planning>()->options.step_limit = 3;
  GatesAgent agent(envs[0], model, options);
  agent.train(all, {.steps = 60});
  // An open loop in which what is legal comes with the observation: only what is imagined is asked about.
  const int seen = 0;
  std::vector<std::size_t> numbers{2, 1, 0};
  std::vector<const int*> observations(3, &seen);
  std::vector<int> actions(3, 99);
  const auto begin = [&] {
    for (std::size_t i = 0; i < envs.size(); ++i) {
      agent.environment(i).consult(envs[i]);
      agent.environment(i).begin_episode(seen);
      agent.environment(i).offer(std::vector<int>{-1, 1, 2, 3});
    }
  };
  begin();
  *envs[gone].gone = true;
  EXPECT_THROW(agent.act(numbers, observations, actions), EnvironmentUnreachable);
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t i = numbers[k];
    const Step<int> step{1, 0, false, false};
    EXPECT_EQ(actions[k] == 99, i == gone) << i;
    if (i == gone) {
      EXPECT_THROW(agent.environment(i).observe(step), InvalidArgument);
    } else {
      EXPECT_NO_THROW(agent.environment(i).observe(step));
    }
  }
  *envs[gone].gone = false;
  begin();
  EXPECT_NO_THROW(agent.act(numbers, observations, actions));
}

/// A formatter that makes an environment unreachable between what it is really asked and what imagination asks.
struct LosingText : testing::ParsingGatesText {
  using ParsingGatesText::ParsingGatesText;
  [[nodiscard]] std::optional<int> parse_observation(std::string_view text) const {
    if (lose != nullptr) **lose = true;
    return ParsingGatesText::parse_observation(text);
  }
  static inline std::shared_ptr<bool>* lose = nullptr;
};

TEST_P(GoneInImagination, LeavesTheOthersTraining) {
  InductionModel model;
  std::vector<testing::Gates> envs{testing::Gates(false), testing::Gates(true), testing::Gates(false)};
  std::vector<testing::Gates*> all{&envs[0], &envs[1], &envs[2]};
  PolicyIterationOptions options;
  options.decisions.values.get_if<Planning>()->options.step_limit = 3;
  PolicyIteration<testing::Gates, InductionModel, LosingText> agent(envs[0], model, options);
  agent.train(all, {.steps = 60});
  LosingText::lose = &envs[GetParam()].gone;
  const auto result = agent.train(all, {.steps = 120});
  LosingText::lose = nullptr;
  EXPECT_EQ(result.end, TrainingEnd::steps);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].environment, GetParam());
  EXPECT_EQ(result.failures[0].message, "it is gone");
}

/// An embedded model that fails when it is told to.
struct Failing : InductionModel {
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (completes_left-- == 0) throw std::runtime_error("the model broke");
    InductionModel::complete(requests, completions);
  }
  [[nodiscard]] std::size_t count_tokens(std::string_view text) const {
    if (counts_left-- == 0) throw std::runtime_error("the tokenizer broke");
    return text.size();
  }
  int completes_left = -1;
  mutable int counts_left = -1;
};

TEST(SharedTraining, DoesNotBlameTheModelOnAnEnvironment) {
  for (const bool within_episode : {false, true}) {
    Failing model;
    std::vector<Chain> envs(3);
    std::vector<Chain*> all{&envs[0], &envs[1], &envs[2]};
    PolicyIteration<Chain, Failing> agent(envs[0], model, options_with(within_episode));
    agent.train(all, {.steps = 60});
    model.completes_left = 3;
    EXPECT_THROW(agent.train(all, {.steps = 60}), std::runtime_error);
    model.counts_left = 20;
    EXPECT_THROW(agent.train(all, {.steps = 60}), std::runtime_error);
    EXPECT_EQ(agent.train(all, {.steps = 60}).failures.size(), 0U);
  }
}

}  // namespace
}  // namespace icpi
