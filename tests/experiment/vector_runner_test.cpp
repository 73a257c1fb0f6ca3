// SPDX-License-Identifier: MIT
#include "icpi/experiment/vector_runner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "icpi/baselines/matching_model.hpp"
#include "icpi/baselines/random_agent.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/experiment/seed_groups.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi {
namespace {

template <class Env, class Make>
std::vector<EpisodeRecord> play(const std::vector<std::uint64_t>& seeds, std::size_t steps, Make&& make) {
  using A = typename decltype(make(std::uint64_t{0}))::element_type;
  const Env env;
  const auto facts = env.facts();
  std::vector<Player<Env, A>> players;
  for (const auto seed : seeds) players.push_back({env, make(seed), seed});
  VectorRunner<Env, A> runner(players,
                              {"domain", "agent", "model", steps, facts.evaluation_discount, facts.return_scale});
  Solver<Env> solver(env, facts.evaluation_discount);
  std::vector<EpisodeRecord> records;
  EXPECT_TRUE(runner.play([&](const auto& start) { return solver.optimal_return(start); },
                          [&](const EpisodeRecord& record) {
                            records.push_back(record);
                            return true;
                          }));
  return records;
}

std::vector<EpisodeRecord> of_seed(const std::vector<EpisodeRecord>& records, std::uint64_t seed) {
  std::vector<EpisodeRecord> chosen;
  for (const auto& record : records) {
    if (record.seed == seed) chosen.push_back(record);
  }
  return chosen;
}

TEST(VectorRunner, SeedsShareBatchesAndPlayAsIfAlone) {
  OracleModel<MiniCatch> shared;
  const auto make = [&](OracleModel<MiniCatch>& model) {
    return [&model](std::uint64_t seed) {
      return std::make_unique<PolicyIteration<MiniCatch, OracleModel<MiniCatch>>>(MiniCatch{}, model,
                                                                                  PolicyIterationOptions{.seed = seed});
    };
  };
  const std::vector<std::uint64_t> seeds{3, 8, 1};
  const auto together = play<MiniCatch>(seeds, 60, make(shared));
  for (const auto seed : seeds) {
    OracleModel<MiniCatch> own;
    const auto alone = play<MiniCatch>({seed}, 60, make(own));
    EXPECT_EQ(of_seed(together, seed), alone);
    EXPECT_GT(alone.back().lm_calls, 0U);
  }
}

TEST(VectorRunner, MatchingModelsPlayAsIfAlone) {
  const auto make = [](std::uint64_t seed) { return std::make_unique<MatchingModelAgent<Maze>>(Maze{}, seed); };
  const auto together = play<Maze>({0, 1, 2, 3}, 100, make);
  for (std::uint64_t seed = 0; seed < 4; ++seed) EXPECT_EQ(of_seed(together, seed), play<Maze>({seed}, 100, make));
}

TEST(VectorRunner, RecordsWhatHappened) {
  const auto records = play<PointMass>(
      {7}, 50, [](std::uint64_t seed) { return std::make_unique<RandomAgent<PointMass>>(PointMass{}, seed); });
  std::uint64_t step = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& record = records[i];
    step += record.length;
    EXPECT_EQ(record.step, step);
    EXPECT_EQ(record.episode, i);
    EXPECT_EQ(record.seed, 7U);
    EXPECT_EQ(record.domain, "domain");
    EXPECT_NE(record.terminated, record.truncated);
    EXPECT_EQ(record.truncated, record.length == 8 && !record.terminated);
    EXPECT_DOUBLE_EQ(record.regret, record.optimal_return - record.episode_return);
    EXPECT_GE(record.regret, -1e-12);
    EXPECT_LE(record.regret, 1);
  }
  EXPECT_GE(step, 50U);
  EXPECT_LT(step - records.back().length, 50U);  // the crossing episode is completed, and none follows
}

TEST(VectorRunner, StopsWhenTold) {
  const Chain env;
  std::vector<Player<Chain, RandomAgent<Chain>>> players;
  players.push_back({env, std::make_unique<RandomAgent<Chain>>(env, 0), 0});
  VectorRunner<Chain, RandomAgent<Chain>> runner(players, {"d", "a", "", 1000, 0.8, 1});
  int episodes = 0;
  EXPECT_FALSE(runner.play([](int) { return 1.0; }, [&](const EpisodeRecord&) { return ++episodes < 3; }));
  EXPECT_EQ(episodes, 3);
}

TEST(SeedGroups, DivideTheRange) {
  for (std::size_t groups = 1; groups < 9; ++groups) {
    const auto parts = split({10, 17}, groups);
    EXPECT_EQ(parts.size(), std::min<std::size_t>(groups, 7));
    std::uint64_t next = 10;
    for (const auto& part : parts) {
      EXPECT_EQ(part.first, next);
      EXPECT_GE(part.size(), 7 / groups);
      next = part.last;
    }
    EXPECT_EQ(next, 17U);
  }
}

TEST(SeedGroups, RecordsComeInOrderWhateverTheThreadsDo) {
  for (const std::size_t jobs : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> order;
    const auto sink = [&](const EpisodeRecord& record) { order.emplace_back(record.seed, record.episode); };
    OrderedRecords records(SeedRange{0, 10}, 6, sink);
    for_each_group({0, 10}, jobs, [&](SeedRange seeds) {
      for (std::uint64_t episode = 0; episode < 3; ++episode) {
        for (std::uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
          EpisodeRecord record;
          record.seed = seed;
          record.episode = episode;
          record.length = 2;
          record.step = 2 * (episode + 1);
          records.add(record);
          std::this_thread::yield();
        }
      }
    });
    ASSERT_EQ(order.size(), 30U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  }
}

TEST(SeedGroups, ASeedIsCompleteWhenAllItsEnvironmentsAre) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> order;
  OrderedRecords records(
      {0, 2}, 4, [&](const EpisodeRecord& record) { order.emplace_back(record.seed, *record.environment); }, 2);
  const auto add = [&](std::uint64_t seed, std::uint64_t environment, std::uint64_t step) {
    EpisodeRecord record;
    record.seed = seed;
    record.environment = environment;
    record.length = 2;
    record.step = step;
    records.add(record);
  };
  add(1, 0, 2);
  add(0, 0, 4);
  add(1, 0, 4);
  EXPECT_EQ(order.size(), 1U);  // environment 1 of seed 0 is not complete
  add(0, 1, 4);
  EXPECT_EQ(order.size(), 4U);
  add(1, 1, 5);
  using Expected = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  EXPECT_EQ(order, (Expected{{0, 0}, {0, 1}, {1, 0}, {1, 0}, {1, 1}}));
}

TEST(SeedGroups, ExceptionsArriveAfterAllThreadsEnded) {
  std::atomic<int> ended = 0;
  EXPECT_THROW(for_each_group({0, 4}, 4,
                              [&](SeedRange seeds) {
                                ++ended;
                                if (seeds.first == 2) throw InvalidArgument("two");
                              }),
               InvalidArgument);
  EXPECT_EQ(ended, 4);
}

}  // namespace
}  // namespace icpi
