// SPDX-License-Identifier: MIT
#include "icpi/prompt/step_outcomes.hpp"

#include <gtest/gtest.h>

namespace icpi {
namespace {

StepOutcomes::Step lived(std::string_view head, std::string_view reward, std::string_view next, double gained,
                         bool terminated = false) {
  return {head, head.substr(1), {terminated ? "done" : "not done", reward, next}, terminated, gained};
}

TEST(StepOutcomes, TellWhatIsKnownOfAnActionFromEverywhere) {
  StepOutcomes outcomes;
  EXPECT_EQ(outcomes.experience("go"), ActionExperience());
  outcomes.add(lived("1go", "0", "2", -1));
  outcomes.add(lived("2go", "0", "3", -2));
  outcomes.add(lived("2wait", "5", "2", 5, true));
  EXPECT_EQ(outcomes.experience("go"), (ActionExperience{2, 0, 0, false, false, false, -1, ActionExperience::none}));
  EXPECT_EQ(outcomes.experience("wait"), (ActionExperience{1, 0, 0, false, false, false, ActionExperience::none, 5}));
  outcomes.add(lived("2go", "0", "2", -2));
  EXPECT_TRUE(outcomes.experience("go").chance_observation);
  EXPECT_FALSE(outcomes.experience("wait").chance());
  outcomes.add(lived("1go", "7", "2", 7, true));
  EXPECT_EQ(outcomes.experience("go"), (ActionExperience{2, 2, 2, true, true, true, -1, 7}));
  EXPECT_EQ(outcomes.counts("1go"), (OutcomeCounts{2, 2, 2, 1}));
}

TEST(StepOutcomes, ForgetAsIfItHadNeverBeen) {
  StepOutcomes outcomes;
  const auto first = lived("1go", "0", "2", 1);
  const auto second = lived("1go", "0", "3", 0);
  outcomes.add(first);
  outcomes.add(second);
  EXPECT_TRUE(outcomes.experience("go").chance_observation);
  outcomes.remove(first);
  outcomes.forget_gains();
  outcomes.note_gain(second);
  EXPECT_EQ(outcomes.experience("go"), (ActionExperience{1, 0, 0, false, false, false, 0, ActionExperience::none}));
  outcomes.remove(second);
  outcomes.forget_gains();
  EXPECT_EQ(outcomes.experience("go"), ActionExperience());
  EXPECT_FALSE(outcomes.seen("1go"));
}

}  // namespace
}  // namespace icpi
