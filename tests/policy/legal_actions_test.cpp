// SPDX-License-Identifier: MIT
// Agents where not every action can be done everywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "icpi/baselines/matching_model.hpp"
#include "icpi/baselines/random_agent.hpp"
#include "icpi/baselines/tabular_q.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "support/adventure.hpp"
#include "support/agent_options.hpp"

namespace icpi {
namespace {

using testing::Adventure;
using testing::AdventureText;
using ::testing::HasSubstr;
using testing::LegalAdventure;
using testing::ParsingAdventureText;
using testing::TellingAdventureText;

static_assert(!ParsesObservations<AdventureText<LegalAdventure>, LegalAdventure>);
static_assert(ParsesObservations<ParsingAdventureText<LegalAdventure>, LegalAdventure>);
static_assert(TellsLegalActions<TellingAdventureText<LegalAdventure>, LegalAdventure>);
static_assert(!TellsLegalActions<ParsingAdventureText<LegalAdventure>, LegalAdventure>);

template <class Text, class Env = LegalAdventure>
using LegalAgent = PolicyIteration<Env, InductionModel, Text>;

bool can(const Adventure::Observation& seen, const std::string& command) {
  const auto legal = Adventure::legal_at(seen);
  return std::find(legal.begin(), legal.end(), command) != legal.end();
}

std::string complaint(const auto& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// What was imagined for the last decision: how many steps, and how many that cannot be done.
struct Imagined {
  std::size_t steps = 0;
  std::size_t illegal = 0;

  template <class A>
  void add(const A& agent) {
    std::vector<PlannedStep> imagined = agent.planned_steps();
    for (const PlannedStep& each : imagined) {
      std::string text(agent.memory().text(each.observation));
      text.pop_back();
      const auto seen = AdventureText<LegalAdventure>::read(text);
      if (!seen || seen->room >= Adventure::rooms) continue;
      ++steps;
      illegal += can(*seen, Adventure::actions()[each.action]) ? 0 : 1;
    }
  }
};

PolicyIterationOptions options_for(ValueEstimator values, std::uint64_t seed = 3) {
  PolicyIterationOptions options;
  options.seed = seed;
  options.decisions.values = std::move(values);
  options.decisions.explorations = {WarmUp{.successes = 1}, UntriedFirst{}, RandomRate{0.1}};
  return options;
}

MeanOfRollouts some_rollouts() { return {.options = {.rollouts_per_action = 2, .random_action_rate = 0.3}}; }

/// Plays some episodes and checks every decision.
template <class Text>
LegalSourceCounts check_play(const PolicyIterationOptions& options, std::size_t steps, Imagined& imagined) {
  LegalAdventure env;
  InductionModel model;
  LegalAgent<Text> agent(env, model, options);
  LegalSourceCounts counts;
  std::size_t by_model = 0;
  agent.callbacks().on_decision = [&](const Decision& decision) {
    EXPECT_FALSE(decision.legal.empty());
    EXPECT_TRUE(is_legal(decision.legal, decision.action));
    for (std::size_t action = 0; action < decision.values.size(); ++action)
      EXPECT_EQ(std::isnan(decision.values[action]), !is_legal(decision.legal, action));
    const auto& now = decision.imagined_legality;
    counts = {counts.text + now.text, counts.environment + now.environment, counts.seen + now.seen,
              counts.all + now.all};
    imagined.add(agent);
    by_model += decision.by_model ? 1 : 0;
  };
  agent.train(env, {.steps = steps});
  EXPECT_EQ(*env.illegal, 0);
  EXPECT_GT(by_model, 20U);
  return counts;
}

TEST(LegalActions, EveryEstimatorKeepsToThem) {
  for (const ValueEstimator& values :
       {ValueEstimator(Planning{}), ValueEstimator(some_rollouts()), ValueEstimator(PolicyAlone{})}) {
    Imagined imagined;
    const auto counts = check_play<ParsingAdventureText<LegalAdventure>>(options_for(values), 150, imagined);
    EXPECT_EQ(imagined.illegal, 0U) << values.description();
    EXPECT_EQ(imagined.steps > 0, values.get_if<PolicyAlone>() == nullptr);
    EXPECT_EQ(counts.text + counts.seen, 0U) << values.description();
    EXPECT_GT(counts.environment, 0U) << values.description();
  }
}

TEST(LegalActions, TheTextComesBeforeTheEnvironment) {
  Imagined imagined;
  const auto counts = check_play<TellingAdventureText<LegalAdventure>>(options_for(Planning{}), 150, imagined);
  EXPECT_GT(imagined.steps, 0U);
  EXPECT_EQ(imagined.illegal, 0U);
  EXPECT_GT(counts.text, 0U);
  EXPECT_EQ(counts.environment + counts.seen, 0U);
}

TEST(LegalActions, WithoutParsingTheSetSeenLastCounts) {
  Imagined imagined;
  const auto counts = check_play<AdventureText<LegalAdventure>>(options_for(Planning{}), 250, imagined);
  EXPECT_EQ(counts.text + counts.environment, 0U);
  EXPECT_GT(counts.seen, 10 * counts.all);
  // Only where nothing is known is there anything illegal.
  EXPECT_LE(imagined.illegal, counts.all * Adventure::actions().size());
}

TEST(LegalActions, OfRoomsThatDoNotExistNothingIsKnown) {
  LegalAdventure env;
  InductionModel model;
  LegalAgent<ParsingAdventureText<LegalAdventure>> agent(env, model, {});
  agent.begin_episode({0, false});
  static_cast<void>(agent.act({0, false}));
  auto& prompt_context = agent.memory();
  const auto nowhere = prompt_context.observe_text("You are in room Z with nothing\n");
  const auto porch = prompt_context.observe_text("You are in room E with the key\n");
  const auto before = prompt_context.legality();
  EXPECT_TRUE(prompt_context.legal(nowhere).empty());
  EXPECT_EQ(prompt_context.legal(porch).size(), 5U);
  EXPECT_TRUE(prompt_context.legal(nowhere).empty());
  EXPECT_EQ(prompt_context.legality() - before, (LegalSourceCounts{0, 1, 0, 1}));
}

/// A gate that opens for one step in five hundred; only then it can be passed, which is worth 1.
class Gate {
 public:
  using Observation = int;
  using Action = int;
  static std::vector<int> actions() { return {0, 1, 2}; }
  static double discount() { return 0.9; }
  int reset(std::uint64_t) { return 0; }
  Step<int> step(int action) {
    const bool open = steps % 500 == 499;
    if (action == 2 && !open) ++illegal;
    if (action == 2) ++passed;
    ++steps;
    const bool opens = steps % 500 == 499;
    return {opens ? 9 : static_cast<int>(steps % 3), action == 2 ? 1.0 : 0.0, action == 2, steps % 50 == 0};
  }
  static std::vector<int> legal_actions(int seen) {
    return seen == 9 ? std::vector<int>{0, 1, 2} : std::vector<int>{0, 1};
  }

  std::size_t steps = 0;
  int illegal = 0;
  int passed = 0;
};

class GateText : public LineFormatter<GateText, Gate> {
 public:
  using LineFormatter::LineFormatter;
  [[nodiscard]] std::string observation(int seen) const { return "assert gate == " + std::to_string(seen) + "\n"; }
  [[nodiscard]] std::string action(int action) const { return "do(" + std::to_string(action) + ")\n"; }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return text.starts_with("assert gate == "); }
};

TEST(LegalActions, OneThatIsHardlyEverLegalHoldsNothingUp) {
  Gate env;
  InductionModel model;
  PolicyIteration<Gate, InductionModel, GateText> agent(env, model, {});
  std::size_t by_model = 0;
  agent.callbacks().on_decision = [&](const Decision& decision) { by_model += decision.by_model ? 1 : 0; };
  agent.train(env, {.steps = 450});
  EXPECT_GT(by_model, 350U);  // though action 2 was never tried
  agent.train(env, {.steps = 1600});
  EXPECT_EQ(env.illegal, 0);
  EXPECT_GE(env.passed, 1);
}

/// Mean returns of the last third of the episodes.
template <class Env>
double learned(std::uint64_t seed, std::size_t steps) {
  Env env;
  InductionModel model;
  PolicyIterationOptions options;
  options.seed = seed;
  options.decisions.values = Planning{.options = {.step_limit = 12}};  // as many steps as it may take
  LegalAgent<ParsingAdventureText<Env>, Env> agent(env, model, options);
  std::vector<double> returns;
  agent.callbacks().on_episode = [&](const TrajectoryOf<Env>& episode) { returns.push_back(episode.back().reward); };
  agent.train(env, {.steps = steps});
  const std::size_t count = std::max<std::size_t>(1, returns.size() / 3);
  double total = 0;
  for (std::size_t i = returns.size() - count; i < returns.size(); ++i) total += returns[i];
  return total / static_cast<double>(count);
}

TEST(LegalActions, AnAdventureOfSixtyCommandsIsLearnedSoonerWithThem) {
  double with = 0, without = 0;
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    with += learned<LegalAdventure>(seed, 500) / 2;
    without += learned<Adventure>(seed, 500) / 2;
  }
  RecordProperty("with", std::to_string(with));
  RecordProperty("without", std::to_string(without));
  EXPECT_GE(with, 0.9);
  EXPECT_LE(without, 0.3);
}

/// Takes the first of the answers that it is held to.
struct HeldModel {
  [[nodiscard]] std::string identity() const { return "held"; }
  [[nodiscard]] static Capabilities capabilities() {
    Capabilities can;
    can.constrains_choices = true;
    return can;
  }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    std::vector<CompletionRequest> plain(requests.begin(), requests.end());
    for (auto& each : plain) each.choices = {};
    model.complete(plain, completions);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto& choices = requests[i].choices;
      const auto room = requests[i].query.find("You are in room ");
      if (choices.empty() || !choices[0].starts_with("> ") || !requests[i].query.ends_with("\n")) continue;
      ++held;
      const std::string text(requests[i].query.substr(room, requests[i].query.size() - room - 1));
      for (const auto choice : choices)
        illegal += can(*AdventureText<LegalAdventure>::read(text), std::string(choice.substr(2))) ? 0 : 1;
      completions[i].text = choices[0];
      completions[i].finish = FinishReason::stop;
    }
  }
  InductionModel model;
  std::size_t held = 0;
  std::size_t illegal = 0;
};

TEST(LegalActions, RestrictedAnswersAreAmongThem) {
  LegalAdventure env;
  HeldModel model;
  PolicyIterationOptions options = options_for(some_rollouts());
  options.queries.restrict_answers = true;
  PolicyIteration<LegalAdventure, HeldModel, ParsingAdventureText<LegalAdventure>> agent(env, model, options);
  agent.train(env, {.steps = 150});
  EXPECT_GT(model.held, 100U);
  EXPECT_EQ(model.illegal, 0U);
}

/// Cannot be copied, as what lies in another process.
struct Unique : LegalAdventure {
  Unique() = default;
  Unique(Unique&&) = default;
  Unique& operator=(Unique&&) = default;
  [[nodiscard]] std::vector<std::string> legal_actions(const Observation& seen) const {
    ++asked;
    if (gone) throw EnvironmentUnreachable("it is gone");
    return legal_at(seen);
  }
  mutable int asked = 0;
  bool gone = false;
};

TEST(LegalActions, AnEnvironmentThatCannotBeCopiedIsAskedWhereItIs) {
  Unique env;
  InductionModel model;
  PolicyIterationOptions options = icpi_test::much_asking_options();
  options.decisions.explorations = {};
  LegalAgent<ParsingAdventureText<Unique>, Unique> agent(env, model, options);
  agent.begin_episode({1, false});
  EXPECT_THAT(complaint([&] { static_cast<void>(agent.act({1, false})); }), HasSubstr("consult(env)"));
  agent.consult(env);
  static_cast<void>(agent.act({1, false}));
  EXPECT_EQ(agent.decision().legal.size(), 5U);
  agent.train(env, {.steps = 150});
  EXPECT_GT(env.asked, 150);
  EXPECT_EQ(*env.illegal, 0);
  agent.begin_episode({1, false});
  env.gone = true;  // nothing is made up in its place
  EXPECT_THROW(static_cast<void>(agent.act({1, false}, Adventure::legal_at({1, false}))), EnvironmentUnreachable);
}

TEST(LegalActions, EvaluationsTeachNothingOfThem) {
  LegalAdventure env;
  InductionModel model;
  LegalAgent<AdventureText<LegalAdventure>> agent(env, model, {});
  agent.train(env, {.episodes = 2});
  const auto known = agent.memory().noted_legal();
  EXPECT_FALSE(known.empty());
  agent.begin_episode({4, true}, EpisodeKind::evaluation);
  static_cast<void>(agent.act({4, true}));
  EXPECT_EQ(agent.memory().noted_legal(), known);
}

struct AdventureCodec {
  [[nodiscard]] static std::string write(const Adventure::Observation& seen) {
    return std::to_string(seen.room) + (seen.key ? "k" : "n");
  }
  [[nodiscard]] static std::optional<Adventure::Observation> read(std::string_view text) {
    if (text.size() != 2) return std::nullopt;
    return Adventure::Observation{text[0] - '0', text[1] == 'k'};
  }
};

TEST(LegalActions, ThatWereSeenAreSavedWithTheAgent) {
  const std::string file = ::testing::TempDir() + "/legal_agent.jsonl";
  LegalAdventure env;
  InductionModel model;
  PolicyIterationOptions options = options_for(Planning{});
  LegalAgent<AdventureText<LegalAdventure>> saved(env, model, options);
  saved.train(env, {.steps = 150});
  saved.save(file, AdventureCodec());
  LegalAgent<AdventureText<LegalAdventure>> loaded(env, model, options);
  loaded.load(env, file, AdventureCodec());
  EXPECT_EQ(loaded.memory().noted_legal(), saved.memory().noted_legal());
  EXPECT_GE(loaded.memory().noted_legal().size(), 5U);
  const auto play = [&](auto& agent) {
    std::vector<std::size_t> done;
    agent.callbacks().on_decision = [&](const Decision& decision) {
      done.push_back(decision.action);
      done.push_back(decision.imagined_legality.seen);
    };
    agent.train(env, {.steps = 60});
    return done;
  };
  EXPECT_EQ(play(loaded), play(saved));
  SavedAgent damaged = read_saved_agent(file);
  damaged.legal[0].actions = {60};
  write_saved_agent(file, damaged);
  EXPECT_THAT(complaint([&] { static_cast<void>(read_saved_agent(file)); }), HasSubstr("action 60 of 60 is legal"));
  damaged.legal[0].actions = {2, 1};
  write_saved_agent(file, damaged);
  EXPECT_THAT(complaint([&] { static_cast<void>(read_saved_agent(file)); }), HasSubstr("not ascending"));
  std::filesystem::remove(file);
}

/// Says that everything is legal.
struct FreeChain : Chain {
  [[nodiscard]] auto legal_actions(const Observation&) const { return actions(); }
};
struct FreeChainText : ChainFormatter {
  explicit FreeChainText(const FreeChain& env) : ChainFormatter(env) {}
};

TEST(LegalActions, WhereAllAreLegalNothingChanges) {
  for (const ValueEstimator& values :
       {ValueEstimator(Planning{}), ValueEstimator(some_rollouts()), ValueEstimator(PolicyAlone{})}) {
    const auto play = [&]<class Env, class Text>(std::type_identity<Env>, std::type_identity<Text>) {
      Env env;
      InductionModel model;
      PolicyIteration<Env, InductionModel, Text> agent(env, model, options_for(values));
      std::vector<double> done;
      agent.callbacks().on_decision = [&](const Decision& decision) {
        done.push_back(static_cast<double>(decision.action));
        done.insert(done.end(), decision.values.begin(), decision.values.end());
      };
      agent.train(env, {.steps = 120});
      return done;
    };
    EXPECT_EQ(play(std::type_identity<FreeChain>(), std::type_identity<FreeChainText>()),
              play(std::type_identity<Chain>(), std::type_identity<ChainFormatter>()))
        << values.description();
  }
}

TEST(LegalActions, MayBeGivenWithTheObservation) {
  Adventure env;
  InductionModel model;
  PolicyIterationOptions options = options_for(Planning{});
  LegalAgent<AdventureText<Adventure>, Adventure> agent(env, model, options);
  for (int episode = 0; episode < 6; ++episode) {
    auto seen = env.reset(static_cast<std::uint64_t>(episode));
    agent.begin_episode(seen);
    for (bool ended = false; !ended;) {
      const auto step = env.step(agent.act(seen, Adventure::legal_at(seen)));
      agent.observe(step);
      seen = step.observation;
      ended = step.terminated || step.truncated;
    }
  }
  EXPECT_EQ(*env.illegal, 0);
  EXPECT_TRUE(agent.decision().by_model);
  EXPECT_GT(agent.decision().imagined_legality.seen, 0U);

  const auto seen = env.reset(9);
  EXPECT_THAT(complaint([&] { static_cast<void>(agent.act(seen, Adventure::legal_at(seen))); }),
              HasSubstr("begin_episode"));
  agent.begin_episode(seen);
  const std::vector<std::string> unknown{"wait", "fly"};
  EXPECT_THAT(complaint([&] { static_cast<void>(agent.act(seen, unknown)); }), HasSubstr("1 of the legal actions"));
  EXPECT_THAT(complaint([&] { static_cast<void>(agent.act(seen, std::vector<std::string>())); }),
              HasSubstr("no action is legal"));
  const std::vector<std::string> one{"wait", "wait"};
  EXPECT_EQ(agent.act(seen, one), "wait");
  EXPECT_EQ(agent.decision().legal, (std::vector<std::uint32_t>{4}));
  static_cast<void>(agent.act(seen));  // an offer is used up
  EXPECT_TRUE(agent.decision().legal.empty());
}

TEST(LegalActions, AnEnvironmentThatAllowsNothingIsAnError) {
  struct Stuck : LegalAdventure {
    [[nodiscard]] std::vector<std::string> legal_actions(const Observation&) const { return {}; }
  };
  Stuck env;
  InductionModel model;
  LegalAgent<AdventureText<Stuck>, Stuck> agent(env, model, {});
  EXPECT_THAT(complaint([&] { agent.train(env, {.steps = 1}); }), HasSubstr("no action is legal"));
}

/// Selects what has no value.
struct Stubborn {
  std::size_t most = 0;
  [[nodiscard]] std::size_t select(std::span<const double> values, RandomStream&) {
    for (const double value : values) EXPECT_FALSE(std::isnan(value));
    most = std::max(most, values.size());
    return most > 4 ? values.size() : 0;
  }
  [[nodiscard]] std::string description() const { return "stubborn()"; }
};

/// Decides for an action that is legal nowhere.
struct Singer {
  static constexpr bool needs_world_model = false;
  void estimate(const Imagination&, std::span<const DecisionTask> tasks, std::span<DecisionResult> results) const {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      results[i].clear();
      results[i].action = 59;
    }
  }
  [[nodiscard]] std::string description() const { return "singer()"; }
};

TEST(LegalActions, StrategiesSeeNoOthersAndAreHeldToThem) {
  LegalAdventure env;
  InductionModel model;
  PolicyIterationOptions options = options_for(Planning{});
  options.decisions.explorations = {};
  options.decisions.selection = Stubborn{};
  LegalAgent<AdventureText<LegalAdventure>> agent(env, model, options);
  EXPECT_THAT(complaint([&] { agent.train(env, {.steps = 400}); }), HasSubstr("stubborn() selected action 5 of 5"));
  options = options_for(Singer{});
  options.decisions.explorations = {};
  LegalAgent<AdventureText<LegalAdventure>> singer(env, model, options);
  EXPECT_THAT(complaint([&] { singer.train(env, {.steps = 1}); }), HasSubstr("singer() selected action 59, which"));
}

TEST(LegalActions, BaselinesKeepToThem) {
  LegalAdventure env;
  RandomAgent<LegalAdventure> random(env, 1);
  TabularQ<LegalAdventure> tabular(env);
  MatchingModelAgent<LegalAdventure> matching(env, 1);
  const auto play = [&](auto& agent) {
    for (std::uint64_t episode = 0; episode < 20; ++episode) {
      auto seen = env.reset(episode);
      agent.begin_episode(seen);
      for (bool ended = false; !ended;) {
        const auto step = env.step(act_in(env, agent, seen));
        agent.observe(step);
        seen = step.observation;
        ended = step.terminated || step.truncated;
      }
    }
    EXPECT_EQ(*env.illegal, 0);
  };
  play(random);
  play(tabular);
  play(matching);
  EXPECT_TRUE(matching.decision().by_model);
}

}  // namespace
}  // namespace icpi
