// SPDX-License-Identifier: MIT
#include "icpi/prompt/step_outcomes.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

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
  EXPECT_EQ(outcomes.experience("go"),
            (ActionExperience{2, 0, 0, false, false, false, -1, ActionExperience::none, 3, 2}));
  EXPECT_EQ(outcomes.experience("wait"),
            (ActionExperience{1, 0, 0, false, false, false, ActionExperience::none, 5, 3, 2}));
  outcomes.add(lived("2go", "0", "2", -2));
  EXPECT_TRUE(outcomes.experience("go").chance_observation);
  EXPECT_FALSE(outcomes.experience("wait").chance());
  outcomes.add(lived("1go", "7", "2", 7, true));
  EXPECT_EQ(outcomes.experience("go"), (ActionExperience{2, 2, 2, true, true, true, -1, 7, 5, 2}));
  EXPECT_EQ(outcomes.counts("1go"), (OutcomeCounts{2, 2, 2, 1}));
  ActionExperience never;
  never.steps = 5;
  never.places = 2;
  EXPECT_EQ(outcomes.experience("jump"), never);
}

TEST(StepOutcomes, HaveAnExampleOfEachKindOfOutcome) {
  StepOutcomes outcomes;
  std::vector<StepOutcomes::Example> examples{{9, 9}};
  outcomes.examples("1go", examples);
  EXPECT_TRUE(examples.empty());
  const std::vector<StepOutcomes::Step> steps{lived("1go", "0", "2", 0), lived("1go", "0", "3", 0),
                                              lived("1go", "0", "2", 0), lived("1go", "1", "2", 1),
                                              lived("1go", "0", "2", 0), lived("2go", "0", "3", 0)};
  for (TransitionId id = 0; id < steps.size(); ++id) {
    auto step = steps[id];
    step.id = id;
    outcomes.add(step);
  }
  const auto told = [&] {
    outcomes.examples("1go", examples);
    std::vector<std::pair<TransitionId, std::size_t>> pairs;
    for (const auto& [id, times] : examples) pairs.emplace_back(id, times);
    return pairs;
  };
  using Pairs = std::vector<std::pair<TransitionId, std::size_t>>;
  EXPECT_EQ(told(), (Pairs{{4, 3}, {1, 1}, {3, 1}}));
  outcomes.remove(steps[0]);
  outcomes.remove(steps[1]);
  EXPECT_EQ(told(), (Pairs{{4, 2}, {3, 1}}));
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
  EXPECT_EQ(outcomes.experience("go"),
            (ActionExperience{1, 0, 0, false, false, false, 0, ActionExperience::none, 1, 1}));
  outcomes.remove(second);
  outcomes.forget_gains();
  EXPECT_EQ(outcomes.experience("go"), ActionExperience());
  EXPECT_FALSE(outcomes.seen("1go"));
}

}  // namespace
}  // namespace icpi
