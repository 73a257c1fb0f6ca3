// SPDX-License-Identifier: MIT
// The former names of CHANGELOG.md still compile: with a warning, which is not wanted here.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif

#include <gtest/gtest.h>

#include <concepts>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/experiment/lockstep.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_lane.hpp"

namespace icpi {
namespace {

using PlainAgent = PolicyIteration<Chain, InductionModel>;

static_assert(std::same_as<PromptLane<Chain, ChainFormatter, TrajectoryBuffer<Chain>>,
                           TypedPromptContext<Chain, ChainFormatter, TrajectoryBuffer<Chain>>>);
static_assert(std::same_as<Lockstep<Chain, PlainAgent>, VectorRunner<Chain, PlainAgent>>);

TEST(FormerNames, MeanWhatTheyMeant) {
  const PolicyIterationOptions former = recommended_options(), now;
  EXPECT_EQ(former.decisions, now.decisions);
  EXPECT_EQ(former.prompts.description(), now.prompts.description());
  EXPECT_EQ(former.queries.description(), now.queries.description());
  Chain env;
  InductionModel model;
  PlainAgent agent(env, model);
  EXPECT_EQ(&agent.lane(), &agent.memory());
}

}  // namespace
}  // namespace icpi
