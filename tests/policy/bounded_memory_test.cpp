// SPDX-License-Identifier: MIT
// An agent whose buffer forgets: memory stays flat, and it decides as one that was given only what the buffer holds.
#include "icpi/policy/policy_iteration.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/line_formatter.hpp"
#include "icpi/core/hash.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "support/agent_options.hpp"

namespace icpi {
namespace {

constexpr std::size_t environments = 4;

/// A walk over 100,000 places, two ways out of each. No two episodes look alike.
class Walk {
 public:
  using Observation = std::uint32_t;
  using Action = int;
  [[nodiscard]] static std::array<int, 3> actions() { return {0, 1, 2}; }
  [[nodiscard]] static double discount() { return 0.8; }
  [[nodiscard]] static std::vector<int> legal_actions(std::uint32_t place) {
    return place % 3 == 0 ? std::vector{0, 1} : place % 3 == 1 ? std::vector{0, 2} : std::vector{1, 2};
  }
  Observation reset(std::uint64_t seed) {
    stream_ = RandomStream(RandomKey(seed));
    steps_ = 0;
    return place_ = static_cast<std::uint32_t>(stream_.index(100'000));
  }
  Step<Observation> step(int action) {
    const bool ends = stream_.index(9) == 0;
    place_ =
        (place_ * 7 + static_cast<std::uint32_t>(action) + static_cast<std::uint32_t>(stream_.index(50))) % 100'000;
    return {place_, place_ % 5 == 0 ? 1.0 : 0.0, ends, !ends && ++steps_ == 20};
  }

 private:
  RandomStream stream_{RandomKey()};
  Observation place_ = 0;
  int steps_ = 0;
};

/// Texts of different lengths, which nothing reads back: what is legal where is known from what was seen.
class WalkText : public LineFormatter<WalkText, Walk> {
 public:
  using LineFormatter::LineFormatter;
  [[nodiscard]] std::string observation(std::uint32_t place) const {
    return "at " + std::to_string(place) + std::string(place % 4, '!') + "\n";
  }
  [[nodiscard]] std::string action(int way) const { return "way " + std::to_string(way) + "\n"; }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return text.starts_with("at "); }
};

/// Costs nothing, and its answers depend on every letter of the prompt: one of the choices, or of the answers in it.
struct HashingModel {
  static constexpr bool constrains_choices = true;
  [[nodiscard]] static std::string identity() { return "hashing"; }
  static void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const CompletionRequest& request = requests[i];
      const std::uint64_t hash = detail::fnv1a(request.query, detail::fnv1a(request.prefix.text)) >> 7U;
      completions[i] = {};
      completions[i].finish = FinishReason::stop;
      if (!request.choices.empty()) {
        completions[i].text = request.choices[hash % request.choices.size()];
      } else if (!request.examples.empty()) {
        const PromptExample& example = request.examples[hash % request.examples.size()];
        completions[i].text = request.prefix.text.substr(example.answer, example.end - example.answer - 1);
      }
    }
  }
};
static_assert(LanguageModel<HashingModel>);

/// Lets the model decide now and then, so that a million steps take a minute.
struct NowAndThen {
  std::size_t every = 10;  ///< one of so many steps
  [[nodiscard]] std::string description() const { return "now_and_then(every=" + std::to_string(every) + ")"; }
  [[nodiscard]] bool acts_at_random(const DecisionContext& context, RandomStream&) const {
    return (context.episode + context.step) % every != 0;
  }
};

/// An agent that can be put into another's episode.
struct BoundedAgent : PolicyIteration<Walk, HashingModel, WalkText> {
  using AgentCore::restore;
  using PolicyIteration::PolicyIteration;
};

struct Bounded {
  icpi_test::PromptMode mode;
  bool recommended;
  std::size_t decides_every = 10;
};

PolicyIterationOptions options_with(const Bounded& how) {
  PolicyIterationOptions options = how.recommended ? PolicyIterationOptions{} : paper_options();
  options.prompts.context_tokens = 500;
  options.queries.restrict_answers = true;
  options.decisions.explorations = {NowAndThen{how.decides_every}};
  if (how.recommended) {
    options.decisions.values.get_if<Planning>()->options.step_limit = 3;
    return options;
  }
  options.prompts.examples = icpi_test::examples_of(how.mode);
  icpi_test::rollouts_of(options).step_limit = 4;
  return options;
}

/// Whole trajectories that a buffer holds, in a buffer that was given nothing else.
TrajectoryBuffer<Walk> held_by(const TrajectoryBuffer<Walk>& buffer) {
  TrajectoryBuffer<Walk> result{Walk{}};
  std::vector<TrajectoryId> ids;
  std::vector<TrajectoryId> of(buffer.size() + buffer.departed());
  for (std::size_t i = 0; i < buffer.trajectory_count(); ++i) {
    ids.push_back(result.begin());
    for (const TransitionId id : buffer.trajectory(i)) of[id] = ids.back();
  }
  for (TransitionId id = 0; id < of.size(); ++id)
    if (buffer.holds(id)) result.extend(of[id], buffer[id]);
  for (const TrajectoryId id : ids) result.end(id);
  return result;
}

/// Lets the model decide in one evaluation, and gives what it thought.
std::vector<std::uint64_t> thoughts(BoundedAgent& agent, std::uint32_t place) {
  agent.begin_episode(place, EpisodeKind::evaluation);
  static_cast<void>(agent.act(place));
  EXPECT_TRUE(agent.decision().by_model);
  std::vector<std::uint64_t> result{agent.decision().action, agent.decision().imagined_legality.seen};
  for (const double value : agent.decision().values) result.push_back(std::bit_cast<std::uint64_t>(value));
  agent.abandon();
  return result;
}

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Compares an agent, from whose buffer something has just left, with one that was given only what is left. Returns how
/// many of their thoughts knew from what was seen what is legal.
std::uint64_t compare_with_fresh(BoundedAgent& agent, HashingModel& model, const PolicyIterationOptions& options) {
  const Walk env;
  EXPECT_LE(agent.memory().buffer.size(), 300U);
  BoundedAgent fresh(env, model, options, WalkText(env), held_by(agent.memory().buffer));
  fresh.restore(agent.episodes(), {});
  agent.memory().begin_round();  // what has left leaves
  for (const SavedLegal& each : agent.memory().noted_legal()) fresh.memory().note_legal_text(each.text, each.actions);
  EXPECT_EQ(fresh.memory().trajectories(), agent.memory().trajectories());
  const auto newest = static_cast<TransitionId>(agent.memory().buffer.size() + agent.memory().buffer.departed() - 1);
  std::uint64_t seen = 0;
  for (const std::uint32_t place : {agent.memory().buffer[newest].observation, 3U, 77U}) {
    const auto expected = thoughts(fresh, place);
    EXPECT_EQ(thoughts(agent, place), expected);
    seen += expected[1];
  }
  const auto answers = [](const BoundedAgent& of) {
    const auto known = of.memory().state().book.known_answers(QueryKind::reward);
    return std::vector<std::string>(known.begin(), known.end());
  };
  EXPECT_EQ(answers(agent), answers(fresh));
  return seen;
}

/// Lives for `steps`; what is held in the first half, after the first tenth, and in the second differs by at most 5 %.
void live(const Bounded& how, std::size_t steps) {
  const auto options = options_with(how);
  HashingModel model;
  std::vector<Walk> envs(environments);
  std::vector<Walk*> all;
  for (Walk& env : envs) all.push_back(&env);
  BoundedAgent agent(envs[0], model, options, WalkText(envs[0]), TrajectoryBuffer<Walk>(envs[0], 300));
  std::size_t by_model = 0;
  for (std::size_t i = 0; i < environments; ++i)
    agent.environment(i).callbacks().on_decision = [&](const Decision& each) { by_model += each.by_model ? 1 : 0; };
  constexpr std::size_t parts = 20;
  std::size_t most_before = 0;
  std::size_t most_after = 0;
  std::uint64_t seen = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    SCOPED_TRACE(part);
    agent.train(all, {.steps = steps / parts});
    const std::size_t departed = agent.memory().buffer.departed();
    while (agent.memory().buffer.departed() == departed) agent.train(envs[0], {.episodes = 1});
    if (part % 4 == 3) seen += compare_with_fresh(agent, model, options);
    auto& half = part < parts / 2 ? most_before : most_after;
    if (part >= parts / 10) half = std::max(half, bytes_in_use());
  }
  EXPECT_GT(agent.memory().buffer.departed(), steps - 400);
  EXPECT_GT(by_model, steps / how.decides_every * 10 / 12);
  EXPECT_GT(seen, 0U);
  ::testing::Test::RecordProperty("decisions_of_the_model", std::to_string(by_model));
  ::testing::Test::RecordProperty("bytes_before", std::to_string(most_before));
  ::testing::Test::RecordProperty("bytes_after", std::to_string(most_after));
  EXPECT_LE(static_cast<double>(most_after), 1.05 * static_cast<double>(most_before));
}

class BoundedMemory : public ::testing::TestWithParam<Bounded> {};
const auto every_way =
    ::testing::Values(Bounded{icpi_test::PromptMode::stable, false}, Bounded{icpi_test::PromptMode::stable, true},
                      Bounded{icpi_test::PromptMode::per_query, false});
const auto name = [](const auto& way) {
  return std::string(way.param.recommended                             ? "recommended"
                     : way.param.mode == icpi_test::PromptMode::stable ? "stable"
                                                                       : "per_query");
};
INSTANTIATE_TEST_SUITE_P(Ways, BoundedMemory, every_way, name);

// Answers that outlive episodes are forgotten once there are as many as PromptState keeps, after some 50,000 steps.
TEST_P(BoundedMemory, StaysFlatAndDecidesByWhatItHolds) { live(GetParam(), GetParam().recommended ? 140'000 : 20'000); }

class BoundedMemoryForLong : public BoundedMemory {};
INSTANTIATE_TEST_SUITE_P(Ways, BoundedMemoryForLong, every_way, name);

TEST_P(BoundedMemoryForLong, StaysFlatOverAMillionSteps) { live(GetParam(), 1'000'000); }

TEST(BoundedMemoryForVeryLong, StaysFlatOverTenMillionSteps) {
  live({icpi_test::PromptMode::stable, true, 100}, 10'000'000);
}

TEST(BoundedAgent, IsSavedNoMoreOnceSomethingHasLeft) {
  HashingModel model;
  Walk env;
  BoundedAgent agent(env, model, {}, WalkText(env), TrajectoryBuffer<Walk>(env, 5));
  agent.train(env, {.episodes = 1});
  agent.memory().check_complete();
  EXPECT_FALSE(agent.memory().events().empty());
  while (agent.memory().buffer.departed() == 0) agent.train(env, {.episodes = 1});
  EXPECT_TRUE(agent.memory().events().empty());
  try {
    agent.memory().check_complete();
    ADD_FAILURE();
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find(" transitions have left the buffer;"), std::string::npos);
  }
}

}  // namespace
}  // namespace icpi
