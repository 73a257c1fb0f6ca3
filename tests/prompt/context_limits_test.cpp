// SPDX-License-Identifier: MIT
// What prompts show when there is no room for what could be shown: docs/several_environments.md says so.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "support/agent_options.hpp"
#include "support/text_world.hpp"

namespace icpi {
namespace {

using testing::TextWorld;

/// Two observations of so many bytes, then a last one.
TextWorld world(std::size_t bytes) {
  return TextWorld({std::string(bytes, 'a'), std::string(bytes, 'b'), std::string(bytes, 'c')});
}

/// Refuses every prompt, as one whose context is smaller than it says.
struct Overflowing {
  void complete(std::span<const CompletionRequest>, std::span<Completion> completions) {
    for (Completion& each : completions) {
      each = {};
      each.error = {ErrorCategory::context_overflow, "too long", 0};
      ++requests;
    }
  }
  [[nodiscard]] static std::string identity() { return "overflowing"; }
  std::size_t requests = 0;
};

template <class LM>
struct Played {
  Played(icpi_test::PromptMode mode, std::size_t bytes, std::size_t episodes)
      : env(world(bytes)), agent(env, model, options_with(mode)) {
    agent.train(env, {.episodes = episodes});
  }
  static PolicyIterationOptions options_with(icpi_test::PromptMode mode) {
    PolicyIterationOptions options;
    options.prompts.examples = icpi_test::examples_of(mode);
    options.prompts.context_tokens = 200;
    return options;
  }
  /// How many examples a prompt shows; action prompts apart.
  std::size_t shown(QueryKind kind, std::size_t action, bool terminated) {
    const PromptState& state = agent.memory().state();
    if (state.book.append_only()) {
      const StablePrompt& prompt = state.book.stable_prompt(kind, action, terminated);
      EXPECT_LE(estimated_tokens(prompt.text), 200U);
      return prompt.examples.size();
    }
    PromptScratch scratch;
    RandomStream stream{RandomKey(1)};
    std::string text;
    state.book.write(kind, action, terminated, stream, scratch, text);
    EXPECT_LE(estimated_tokens(text), 200U);
    return scratch.prompt.examples().size();
  }

  LM model;
  TextWorld env;
  PolicyIteration<TextWorld, LM> agent;
};

class ContextLimits : public ::testing::TestWithParam<icpi_test::PromptMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, ContextLimits,
                         ::testing::Values(icpi_test::PromptMode::stable, icpi_test::PromptMode::per_query),
                         [](const auto& mode) {
                           return mode.param == icpi_test::PromptMode::stable ? "stable" : "per_query";
                         });

TEST_P(ContextLimits, AnExampleThatDoesNotFitIsNotShownAndTheOthersAre) {
  Played<InductionModel> played(GetParam(), 200, 12);  // a termination has 86 tokens, a next observation 156
  for (const std::size_t action : {0U, 1U}) {
    EXPECT_EQ(played.shown(QueryKind::observation, action, false), 0U);
    EXPECT_EQ(played.shown(QueryKind::termination, action, false), 1U);
    EXPECT_EQ(played.shown(QueryKind::reward, action, false), 1U);
  }
  played.agent.begin_episode(played.env.reset(0), EpisodeKind::evaluation);
  static_cast<void>(played.agent.act(played.env.reset(0)));
  EXPECT_TRUE(played.agent.decision().by_model);
  EXPECT_EQ(played.agent.decision().costs.failures, 0U);
}

TEST_P(ContextLimits, OneExampleThatFitsOnlyJustIsShownWhateverCameSince) {
  for (const std::size_t episodes : {3U, 4U, 9U, 14U}) {
    Played<InductionModel> played(GetParam(), 225, episodes);  // a termination has 96 of about 103 tokens
    const std::size_t tried = played.agent.memory().buffer.matching(1, false).size();
    EXPECT_EQ(played.shown(QueryKind::termination, 1, false), tried > 0 ? 1U : 0U) << episodes;
  }
}

TEST_P(ContextLimits, AHistoryLongerThanAnyPromptIsShownInParts) {
  Played<InductionModel> played(GetParam(), 10, 60);
  const auto& buffer = played.agent.memory().buffer;
  const std::size_t known = buffer.matching(1, false).size() + buffer.matching(1, true).size();
  const std::size_t shown = played.shown(QueryKind::termination, 1, false);
  EXPECT_GT(known, 20U);
  EXPECT_GT(shown, 5U);
  EXPECT_LT(shown, known);
}

TEST_P(ContextLimits, AnObservationThatLeavesNoRoomIsRefusedBeforeAnythingChanges) {
  const auto play = [] { Played<InductionModel>(GetParam(), 300, 1); };
  EXPECT_THROW(play(), InvalidArgument);
}

TEST_P(ContextLimits, AModelThatReadsLessThanItSaysCostsTheImaginedStepAndNoMore) {
  Played<Overflowing> played(GetParam(), 10, 4);
  EXPECT_EQ(played.agent.memory().buffer.trajectory_count(), 4U);
  EXPECT_GT(played.model.requests, 0U);
  EXPECT_EQ(played.agent.costs().failures, played.model.requests);
  EXPECT_EQ(played.agent.costs().retries, 0U);
}

}  // namespace
}  // namespace icpi
