// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "icpi/models/scripted.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/text_world.hpp"

namespace icpi {
namespace {

using testing::TextWorld;
using testing::TextWorldFormatter;

/// Accepts no observation that says "odd", and reads no reward of 3.
struct Picky : TextWorldFormatter {
  explicit Picky(const TextWorld& env) : TextWorldFormatter(env) {}

  [[nodiscard]] bool accepts_observation(std::string_view text) const {
    return text.find("odd") == std::string_view::npos && TextWorldFormatter::accepts_observation(text);
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    const auto read = TextWorldFormatter::parse_reward(text);
    return read == 3.0 ? std::nullopt : read;
  }
};

class UnacceptedText : public ::testing::TestWithParam<bool> {
 protected:
  UnacceptedText() {
    options_.decisions.update_within_episode = GetParam();
    agent_.emplace(env_, model_, options_);
    agent_->begin_episode("a");
    (void)agent_->act("a");
  }

  /// What observing this step says; empty: nothing.
  std::string complaint(const Step<std::string>& step) {
    try {
      agent_->observe(step);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return {};
  }

  TextWorld env_;
  ScriptedModel model_{[](const CompletionRequest&) { return ScriptedModel::answer("nothing"); }};
  PolicyIterationOptions options_ = icpi::paper_options();
  std::optional<PolicyIteration<TextWorld, ScriptedModel, Picky>> agent_;
};

TEST_P(UnacceptedText, IsRefusedWhereItIsObservedAndNothingHasChanged) {
  const std::string observation = complaint({"odd", 0, false, false});
  EXPECT_NE(observation.find("accepts_observation"), std::string::npos) << observation;
  EXPECT_NE(observation.find("odd"), std::string::npos) << observation;
  const std::string reward = complaint({"b", 3, false, false});
  EXPECT_NE(reward.find("parse_reward"), std::string::npos) << reward;
  EXPECT_NE(reward.find("3"), std::string::npos) << reward;
  EXPECT_EQ(agent_->memory().buffer.size(), 0U);
  EXPECT_EQ(complaint({"b", 2, true, false}), "");
  EXPECT_EQ(agent_->memory().buffer.size(), 1U);
}

TEST_P(UnacceptedText, IsNotImportedEither) {
  agent_->begin_episode("a");
  EXPECT_EQ(complaint({"b", 2, true, false}), "observe: no action is waiting for its result");
  agent_.emplace(env_, model_, options_);
  EXPECT_THROW(agent_->import({{"odd", 0, 0, true, false, "b"}}), InvalidArgument);
  EXPECT_THROW(agent_->import({{"a", 0, 3, true, false, "b"}}), InvalidArgument);
  EXPECT_NO_THROW(agent_->import({{"a", 0, 1, true, false, "b"}}));
}

INSTANTIATE_TEST_SUITE_P(Online, UnacceptedText, ::testing::Bool());

}  // namespace
}  // namespace icpi
