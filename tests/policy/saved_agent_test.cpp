// SPDX-License-Identifier: MIT
// Agents that are saved between episodes and go on elsewhere as if nothing had happened.
#include "icpi/policy/saved_agent.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_invaders_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "support/random_episodes.hpp"
#include "support/temporary_folder.hpp"

namespace icpi {
namespace {

/// All that a decision is, as text.
template <class Agent>
std::string recorded(const Agent& agent) {
  const Decision& decision = agent.decision();
  std::string text = std::to_string(decision.action) + (decision.by_model ? " by model" : " at random");
  for (const double value : decision.values) text += ' ' + std::to_string(std::bit_cast<std::uint64_t>(value));
  for (std::size_t action = 0; action < decision.returns.actions(); ++action)
    for (std::size_t sample = 0; sample < decision.returns.rollouts(); ++sample)
      text += ' ' + std::to_string(std::bit_cast<std::uint64_t>(decision.returns(action, sample)));
  const Costs& costs = agent.costs();
  for (const auto count :
       {costs.lm_calls, costs.prompt_tokens, costs.completion_tokens, costs.rounds, costs.retries, costs.invalid,
        costs.failures, costs.over_budget, costs.cancelled, costs.deduplicated, costs.wasted})
    text += '/' + std::to_string(count);
  return text + " in episode " + std::to_string(agent.episodes());
}

template <class Env>
class Player {
 public:
  using Agent = PolicyIteration<Env, InductionModel>;

  explicit Player(const PolicyIterationOptions& options) : agent(env, model, options) {
    agent.callbacks().on_decision = [this](const Decision&) { log.push_back(recorded(agent)); };
  }

  /// One episode; every fifth is abandoned in its middle, every seventh is an evaluation.
  void play(std::size_t number) {
    if (number % 7 == 6) {
      (void)agent.evaluate(env);
    } else if (number % 5 == 4) {
      auto observation = env.reset(number);
      agent.begin_episode(observation);
      agent.observe(env.step(agent.act(observation)));
      agent.begin_episode(observation);  // abandons it
      play_on(observation);
    } else {
      agent.train(env, {.episodes = 1});
    }
  }

  void play_on(typename Env::Observation) {
    auto observation = env.reset(77);
    agent.begin_episode(observation);
    for (bool runs = true; runs;) {
      const auto step = env.step(agent.act(observation));
      agent.observe(step);
      observation = step.observation;
      runs = !step.terminated && !step.truncated;
    }
  }

  Env env;
  InductionModel model;
  Agent agent;
  std::vector<std::string> log;
};

/// What was decided, without what it cost.
std::vector<std::string> without_costs(std::vector<std::string> log) {
  for (std::string& each : log) each.resize(each.find('/'));
  return log;
}

/// What must be the same: answers that outlive episodes are not saved, but asked for again.
std::vector<std::string> lasting(std::vector<std::string> log, const PolicyIterationOptions& options) {
  const auto* examples = options.prompts.examples.get_if<AppendOnlyExamples>();
  return examples != nullptr && examples->growth > 0 ? without_costs(std::move(log)) : log;
}

class SavedAgents : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder / name).string(); }

  template <class Env>
  void expect_to_go_on(const PolicyIterationOptions& options, std::size_t episodes, std::size_t after) {
    Player<Env> undisturbed(options), first(options), second(options);
    for (std::size_t i = 0; i < episodes + after; ++i) undisturbed.play(i);
    for (std::size_t i = 0; i < episodes; ++i) first.play(i);
    first.agent.save(path("agent"));
    second.agent.load(second.env, path("agent"));
    EXPECT_EQ(second.agent.costs(), first.agent.costs());
    for (std::size_t i = episodes; i < episodes + after; ++i) second.play(i);
    auto log = first.log;
    log.insert(log.end(), second.log.begin(), second.log.end());
    EXPECT_EQ(lasting(log, options), lasting(undisturbed.log, options)) << options.decisions.description();
  }

  icpi_test::TemporaryFolder folder;
};

std::vector<PolicyIterationOptions> all_options() {
  std::vector<PolicyIterationOptions> all{PolicyIterationOptions{}, paper_options(), icpi_test::much_asking_options()};
  all.push_back(icpi_test::paper_options_with(icpi_test::PromptMode::stable));
  all.push_back(icpi_test::much_asking_options());
  all.back().prompts.context_tokens = 500;  // prompts are rebuilt
  for (auto& options : all) {
    options.seed = 5;
    if (auto* rollouts = options.decisions.values.get_if<MeanOfRollouts>()) rollouts->options.step_limit = 3;
    if (auto* planning = options.decisions.values.get_if<Planning>()) planning->options.step_limit = 3;
  }
  return all;
}

TEST_F(SavedAgents, GoOnAsIfNothingHadHappenedInTheChain) {
  for (const auto& options : all_options())
    for (const std::size_t episodes : {0U, 1U, 5U, 13U}) expect_to_go_on<Chain>(options, episodes, 6);
}

TEST_F(SavedAgents, GoOnAsIfNothingHadHappenedInMiniInvaders) {
  auto options = all_options().front();
  options.prompts.context_tokens = 1500;
  expect_to_go_on<MiniInvaders>(options, 6, 3);
}

TEST_F(SavedAgents, DecideTheSameWhereAnswersThatAreNotSavedOutliveEpisodes) {
  PolicyIterationOptions options;
  options.decisions.values.get_if<Planning>()->options.step_limit = 5;
  Player<Chain> undisturbed(options), first(options), second(options);
  for (std::size_t i = 0; i < 20; ++i) undisturbed.play(i);
  for (std::size_t i = 0; i < 12; ++i) first.play(i);
  first.agent.save(path("agent"));
  second.agent.load(second.env, path("agent"));
  for (std::size_t i = 12; i < 20; ++i) second.play(i);
  auto log = first.log;
  log.insert(log.end(), second.log.begin(), second.log.end());
  EXPECT_EQ(without_costs(log), without_costs(undisturbed.log));
}

/// Saves one run at `moments` random ends of episodes, and goes on from each of them for up to `after` episodes.
template <class Env>
void expect_to_go_on_from_anywhere(const PolicyIterationOptions& options, const icpi_test::TemporaryFolder& folder,
                                   std::size_t moments, std::size_t episodes, std::size_t after) {
  RandomStream stream(RandomKey(options.seed));
  std::vector<std::size_t> saved_after(episodes);
  std::iota(saved_after.begin(), saved_after.end(), std::size_t{0});
  for (std::size_t i = 0; i < moments; ++i) std::swap(saved_after[i], saved_after[i + stream.index(episodes - i)]);
  saved_after.resize(moments);
  Player<Env> undisturbed(options), saved(options);
  std::vector<std::size_t> decisions;  // after so many episodes
  for (std::size_t i = 0; i < episodes + after; ++i) {
    decisions.push_back(undisturbed.log.size());
    undisturbed.play(i);
  }
  decisions.push_back(undisturbed.log.size());
  for (std::size_t i = 0; i < episodes; ++i) {
    const bool wanted = std::find(saved_after.begin(), saved_after.end(), i) != saved_after.end();
    if (wanted) saved.agent.save((folder / std::to_string(i)).string());
    saved.play(i);
  }
  EXPECT_TRUE(std::equal(saved.log.begin(), saved.log.end(), undisturbed.log.begin()));
  for (const std::size_t moment : saved_after) {
    Player<Env> other(options);
    other.agent.load(other.env, (folder / std::to_string(moment)).string());
    for (std::size_t i = moment; i < moment + after; ++i) other.play(i);
    const auto first = undisturbed.log.begin() + static_cast<std::ptrdiff_t>(decisions[moment]);
    const auto last = undisturbed.log.begin() + static_cast<std::ptrdiff_t>(decisions[moment + after]);
    EXPECT_EQ(lasting(other.log, options), lasting({first, last}, options)) << "saved after " << moment << " episodes";
  }
}

TEST_F(SavedAgents, GoOnFromThirtyRandomMomentsOfTheChain) {
  PolicyIterationOptions options;
  options.seed = 21;
  expect_to_go_on_from_anywhere<Chain>(options, folder, 15, 30, 8);
  options = paper_options();
  options.seed = 22;
  expect_to_go_on_from_anywhere<Chain>(options, folder, 15, 30, 8);
}

TEST_F(SavedAgents, GoOnFromTwentyRandomMomentsOfMiniInvaders) {
  PolicyIterationOptions options;
  options.seed = 23;
  options.prompts.context_tokens = 1500;
  options.decisions.values.get_if<Planning>()->options.step_limit = 3;
  expect_to_go_on_from_anywhere<MiniInvaders>(options, folder, 20, 22, 2);
}

TEST_F(SavedAgents, CanBeSavedAgain) {
  Player<Chain> first{{}}, second{{}};
  for (std::size_t i = 0; i < 6; ++i) first.play(i);
  first.agent.save(path("agent"));
  second.agent.load(second.env, path("agent"));
  second.agent.save(path("again"));
  EXPECT_EQ(read_saved_agent(path("agent")), read_saved_agent(path("again")));
}

class SavedAgentErrors : public SavedAgents {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < 4; ++i) saved.play(i);
    saved.agent.save(path("agent"));
  }

  std::string refusal(const PolicyIterationOptions& options, const std::string& name = "agent") {
    Player<Chain> other(options);
    try {
      other.agent.load(other.env, path(name));
    } catch (const InvalidArgument& error) {
      EXPECT_EQ(other.agent.episodes(), 0U);
      EXPECT_EQ(other.agent.memory().buffer.size(), 0U);
      return error.what();
    }
    return "";
  }

  [[nodiscard]] std::string contents() const { return icpi_test::read_bytes(path("agent")); }

  std::string refusal_of(const std::string& text) {
    icpi_test::write_bytes(path("changed"), text);
    return refusal({}, "changed");
  }

  Player<Chain> saved{{}};
};

TEST_F(SavedAgentErrors, NameWhatIsDifferent) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_NE(refusal(paper_options()).find("decisions were 'values=planning"), std::string::npos);
  EXPECT_NE(refusal({.seed = 1}).find("seeds were '0', and are '1'"), std::string::npos);
  PolicyIterationOptions options;
  options.queries.sampling.temperature = 1;
  EXPECT_NE(refusal(options).find("queries were 'temperature=0"), std::string::npos);
  options = {};
  options.prompts.constraints = false;
  EXPECT_NE(refusal(options).find("prompts were 'examples=append_only"), std::string::npos);
  EXPECT_NE(refusal({}, "absent").find("cannot be read"), std::string::npos);
  EXPECT_NE(refusal({}, ".").find("cannot be read: it is a folder"), std::string::npos);
}

TEST_F(SavedAgentErrors, NoticeEveryChangedByteAndEveryMissingOne) {
  const std::string whole = contents();
  EXPECT_NE(refusal_of(whole + "{}\n").find("than the first line says"), std::string::npos);
  for (std::size_t length = 0; length < whole.size(); length += 1 + length / 7)
    EXPECT_NE(refusal_of(whole.substr(0, length)), "") << length;
  for (std::size_t at = 0; at < whole.size(); at += 1 + at / 7) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_NE(refusal_of(changed).find("changed, line "), std::string::npos) << at;
  }
}

TEST_F(SavedAgentErrors, NameVersionsThatNeverWere) {
  const std::string whole = contents();
  for (const std::string number : {"0", "-1", "3"}) {
    detail::ChecksumChain chain;
    std::string text;
    std::istringstream lines(whole);
    for (std::string line; std::getline(lines, line);) {
      std::string part(detail::checked_part(line));
      if (text.empty()) part.replace(part.find("\"version\":1"), 11, "\"version\":" + number);
      text += chain.add(part + "}") + '\n';
    }
    EXPECT_NE(refusal_of(text).find("of version " + number + "; this library reads 1 to 2"), std::string::npos)
        << refusal_of(text);
  }
}

TEST_F(SavedAgentErrors, RefuseEventsThatAreNotTheStepsOfTheFile) {
  const SavedAgent whole = read_saved_agent(path("agent"));
  const std::uint64_t steps = whole.steps.size();
  constexpr std::uint64_t half = std::uint64_t{1} << 63U;
  using Kind = MemoryEvent::Kind;
  for (const std::vector<MemoryEvent>& events : std::vector<std::vector<MemoryEvent>>{
           {},
           {{Kind::trajectory, steps - 1}},
           {{Kind::trajectory, steps + 1}},
           {{Kind::trajectory, half}, {Kind::trajectory, half + steps}},  // in 64 bits their sum is `steps`
           {{Kind::steps, 1}, {Kind::steps, ~std::uint64_t{0}}, {Kind::steps, steps}}}) {
    SavedAgent other = whole;
    other.events = events;
    write_saved_agent(path("other"), other);
    EXPECT_NE(refusal({}, "other").find("transitions were remembered"), std::string::npos);
  }
}

TEST_F(SavedAgentErrors, LeaveTheFileAsItWasAndTheAgentUsable) {
  const std::string whole = contents();
  const auto observation = saved.env.reset(1);
  saved.agent.begin_episode(observation);
  EXPECT_THROW(saved.agent.save(path("agent")), InvalidArgument);  // in the middle of an episode
  EXPECT_EQ(contents(), whole);
  EXPECT_THROW(saved.agent.load(saved.env, path("agent")), InvalidArgument);  // it has lived already
  saved.agent.train(saved.env, {.episodes = 1});
  EXPECT_THROW(saved.agent.save(path("no/such/folder")), Error);
  EXPECT_THROW(saved.agent.save("/dev/full"), Error);
  saved.agent.save(path("agent"));
  EXPECT_NE(contents(), whole);
}

TEST_F(SavedAgentErrors, ABufferThatWouldForgetIsRefused) {
  using Agent = PolicyIteration<Chain, InductionModel>;
  const std::size_t size = saved.agent.memory().buffer.size();
  for (const std::size_t held : {size - 1, std::size_t{1}}) {
    Agent smaller(saved.env, saved.model, {}, ChainFormatter(saved.env), TrajectoryBuffer<Chain>(saved.env, held));
    try {
      smaller.load(saved.env, path("agent"));
      ADD_FAILURE() << held;
    } catch (const InvalidArgument& error) {
      EXPECT_NE(std::string(error.what()).find("of the " + std::to_string(size) + " transitions"), std::string::npos)
          << error.what();
    }
    EXPECT_EQ(smaller.memory().buffer.size(), 0U);
    EXPECT_EQ(smaller.memory().buffer.departed(), 0U);
    EXPECT_TRUE(smaller.memory().events().empty());
  }
  Agent equal(saved.env, saved.model, {}, ChainFormatter(saved.env), TrajectoryBuffer<Chain>(saved.env, size));
  EXPECT_NO_THROW(equal.load(saved.env, path("agent")));
  EXPECT_EQ(equal.memory().buffer.size(), size);
}

/// Texts that say less than the observation.
struct RoundedChainText : ChainFormatter {
  using ChainFormatter::ChainFormatter;
  [[nodiscard]] std::string observation(int state) const { return ChainFormatter::observation(state / 2 * 2); }
};

TEST_F(SavedAgentErrors, RefuseTextsThatLoseSomethingUnlessACodecKeepsIt) {
  using Agent = PolicyIteration<Chain, InductionModel, RoundedChainText>;
  Chain env;
  InductionModel model;
  Agent agent(env, model);
  agent.train(env, {.episodes = 6});
  EXPECT_THROW(agent.save(path("lossy")), InvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(path("lossy")));
  struct Codec {
    [[nodiscard]] static std::string write(int state) { return std::to_string(state); }
    [[nodiscard]] static std::optional<int> read(std::string_view text) { return std::stoi(std::string(text)); }
  };
  agent.save(path("whole"), Codec{});
  Agent other(env, model);
  other.load(env, path("whole"), Codec{});
  EXPECT_EQ(other.memory().buffer.size(), agent.memory().buffer.size());
  EXPECT_EQ(other.memory().buffer[3].observation, agent.memory().buffer[3].observation);
}

}  // namespace
}  // namespace icpi
