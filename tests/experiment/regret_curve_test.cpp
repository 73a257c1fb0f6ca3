// SPDX-License-Identifier: MIT
#include "icpi/experiment/regret_curve.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace icpi {
namespace {

EpisodeRecord episode(std::uint64_t seed, std::uint64_t end, std::uint64_t length, double regret) {
  EpisodeRecord record;
  record.domain = "chain";
  record.agent = "icpi";
  record.seed = seed;
  record.step = end;
  record.length = length;
  record.regret = regret;
  return record;
}

TEST(EpisodeRecord, ReadsBackExactly) {
  EpisodeRecord record = episode(3, 17, 5, 0.1 + 0.2);
  record.model = "a \"model\"\n\xFF";
  record.episode = 4;
  record.episode_return = -1.0 / 3;
  record.optimal_return = 0.64;
  record.truncated = true;
  record.lm_calls = 18446744073709551615U;
  record.prompt_tokens = 1;
  record.computed_tokens = 2;
  record.completion_tokens = 3;
  EXPECT_EQ(parse_episode_record(to_json(record)), record);
  EXPECT_EQ(to_json(episode(0, 2, 2, 0.5)),
            R"({"domain":"chain","agent":"icpi","model":"","seed":0,"episode":0,"step":2,"length":2,"return":0,)"
            R"("optimal_return":0,"regret":0.5,"terminated":false,"truncated":false,"lm_calls":0,"prompt_tokens":0,)"
            R"("computed_tokens":0,"completion_tokens":0,"invalid":0,"failures":0,"over_budget":0,"cancelled":0,)"
            R"("environment_error":""})");
  EXPECT_THROW((void)parse_episode_record("{}"), InvalidArgument);
  EXPECT_THROW((void)parse_episode_record(to_json(episode(0, 1, 2, 0))), InvalidArgument);
  EXPECT_THROW((void)parse_episode_record(to_json(episode(0, 1, 0, 0))), InvalidArgument);
}

TEST(RegretCurve, EnvironmentsOfASeedAreOneRow) {
  std::vector<EpisodeRecord> records{episode(5, 2, 2, 1), episode(5, 4, 2, 0), episode(5, 4, 4, 0.5),
                                     episode(2, 4, 4, 0.25), episode(2, 4, 4, 0.75)};
  for (std::size_t i = 0; i < records.size(); ++i) records[i].environment = i == 2 || i == 4 ? 1 : 0;
  EXPECT_EQ(parse_episode_record(to_json(records[2])), records[2]);
  const Eigen::ArrayXXd regret = regret_by_step(records, 4);
  ASSERT_EQ(regret.rows(), 2);
  EXPECT_TRUE((regret.row(0) == 0.5).all());
  EXPECT_TRUE((regret.row(1).head(2) == 0.75).all());
  EXPECT_TRUE((regret.row(1).tail(2) == 0.25).all());
  records.pop_back();
  records.push_back(episode(2, 2, 2, 0));  // environment 0 of seed 2 twice at one step
  EXPECT_THROW((void)regret_by_step(records, 4), InvalidArgument);
}

TEST(RegretCurve, EveryStepCarriesTheRegretOfItsEpisode) {
  // Seed 5: steps 0-3 regret 1, steps 4-9 (cut at the horizon) regret 0.5. Seed 2: 0.25 throughout.
  const std::vector<EpisodeRecord> records{episode(5, 4, 4, 1), episode(5, 12, 8, 0.5), episode(2, 10, 10, 0.25)};
  const Eigen::ArrayXXd regret = regret_by_step(records, 10);
  ASSERT_EQ(regret.rows(), 2);
  ASSERT_EQ(regret.cols(), 10);
  EXPECT_TRUE((regret.row(0) == 0.25).all());
  EXPECT_TRUE((regret.row(1).head(4) == 1).all());
  EXPECT_TRUE((regret.row(1).tail(6) == 0.5).all());

  const RegretCurve curve = regret_curve(regret, 5);
  EXPECT_EQ(curve.seeds, 2U);
  EXPECT_DOUBLE_EQ(curve.auc.mean, (0.25 + 0.7) / 2);
  EXPECT_DOUBLE_EQ(curve.auc.error, (0.7 - 0.25) / 2);  // two values: half their distance
  EXPECT_DOUBLE_EQ(curve.last20.mean, 0.375);
  EXPECT_DOUBLE_EQ(curve.mean(0), 0.625);
  EXPECT_DOUBLE_EQ(curve.mean(4), 0.375);
  EXPECT_DOUBLE_EQ(curve.error(4), 0.125);
  EXPECT_DOUBLE_EQ(curve.position(0), 1);
  EXPECT_DOUBLE_EQ(curve.position(4), 9);
}

TEST(RegretCurve, BinsOfAHorizonThatTheyDoNotDivide) {
  // Step t belongs to bin floor(20 t / 175): the first bin has steps 0-8, the second 9-17, the third 18-26.
  Eigen::ArrayXXd regret(1, 175);
  for (Eigen::Index step = 0; step < 175; ++step) regret(0, step) = static_cast<double>(step);
  const RegretCurve curve = regret_curve(regret);
  ASSERT_EQ(curve.mean.size(), 20);
  for (Eigen::Index bin = 0; bin < 20; ++bin) {
    double sum = 0;
    int count = 0;
    for (int step = 0; step < 175; ++step) {
      if (step * 20 / 175 != bin) continue;
      sum += step;
      ++count;
    }
    EXPECT_DOUBLE_EQ(curve.mean(bin), sum / count);
  }
  EXPECT_DOUBLE_EQ(curve.auc.mean, 87);
  EXPECT_DOUBLE_EQ(curve.last20.mean, 157);  // steps 140 .. 174
  EXPECT_EQ(curve.auc.error, 0);
}

TEST(RegretCurve, MoreBinsThanStepsLeaveSomeEmpty) {
  const RegretCurve curve = regret_curve(Eigen::ArrayXXd::Constant(2, 3, 0.5), 20);
  EXPECT_EQ(curve.mean.isNaN().count(), 17);
  EXPECT_DOUBLE_EQ(curve.last20.mean, 0.5);
}

TEST(RegretCurve, RefusesRunsWithHolesAndOverlaps) {
  const std::vector<EpisodeRecord> hole{episode(0, 4, 4, 1), episode(0, 10, 5, 1)};
  EXPECT_THROW((void)regret_by_step(hole, 10), InvalidArgument);
  const std::vector<EpisodeRecord> overlap{episode(0, 4, 4, 1), episode(0, 10, 7, 1)};
  EXPECT_THROW((void)regret_by_step(overlap, 10), InvalidArgument);
  const std::vector<EpisodeRecord> incomplete{episode(0, 4, 4, 1)};
  EXPECT_THROW((void)regret_by_step(incomplete, 10), InvalidArgument);
  EXPECT_THROW((void)regret_by_step(incomplete, 0), InvalidArgument);
  EXPECT_THROW((void)regret_curve(incomplete, 4, 0), InvalidArgument);
}

}  // namespace
}  // namespace icpi
