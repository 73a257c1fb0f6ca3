// SPDX-License-Identifier: MIT
// Records of runs in which not every action can be done everywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "icpi/baselines/random_agent.hpp"
#include "icpi/experiment/logged_agent.hpp"
#include "icpi/experiment/logged_model.hpp"
#include "icpi/experiment/vector_runner.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/adventure.hpp"
#include "support/agent_options.hpp"
#include "support/temporary_folder.hpp"

namespace icpi {
namespace {

using icpi_test::read_bytes;
using icpi_test::TemporaryFolder;
using testing::Adventure;
using testing::AdventureText;
using ::testing::ContainsRegex;
using testing::LegalAdventure;

std::string text_of(const Adventure::Observation& seen) { return std::to_string(2 * seen.room + (seen.key ? 1 : 0)); }
Adventure::Observation read_text(const std::string& text) { return {std::stoi(text) / 2, std::stoi(text) % 2 == 1}; }

/// A program that says with each observation what is legal, and comes and goes.
struct Host {
  using Icpi = PolicyIteration<Adventure, LoggedModel<InductionModel>, AdventureText<Adventure>>;

  explicit Host(const std::filesystem::path& file) : log(file, Durability::process) {
    where = logged.restore(read_text);
  }

  RecordLog log;
  RunPart part{log, 0};
  LoggedModel<InductionModel> model{InductionModel{}, part};
  Adventure env;
  Icpi agent{env, model, icpi_test::much_asking_options(2)};
  LoggedAgent<Adventure, Icpi> logged{env, agent, part, 2, text_of};
  RestoredEpisode<Adventure> where;
};

TEST(LegalLog, AHistoryThatIsRestoredKnowsWhatWasLegal) {
  const TemporaryFolder folder;
  const auto file = folder / "log";
  std::vector<std::vector<std::string>> done(2);
  std::vector<std::vector<SavedLegal>> known(2);
  for (const bool disturbed : {false, true}) {
    std::filesystem::remove(file);
    { const RecordLog log(file, "{}", Durability::process); }
    auto host = std::make_unique<Host>(file);
    Adventure env;
    std::optional<Adventure::Observation> seen;
    for (std::uint64_t step = 0; step < 150; ++step) {
      if (disturbed && step % 50 == 49) {
        host.reset();
        host = std::make_unique<Host>(file);
      }
      if (!seen) host->logged.begin_episode(*(seen = env.reset(step)));
      done[disturbed].push_back(host->logged.act(*seen, Adventure::legal_at(*seen)));
      const auto outcome = env.step(done[disturbed].back());
      host->logged.observe(outcome);
      seen = outcome.observation;
      if (outcome.terminated || outcome.truncated) seen.reset();
    }
    known[disturbed] = host->agent.memory().noted_legal();
    EXPECT_EQ(*env.illegal, 0);
    EXPECT_GT(host->agent.costs().lm_calls, 50U);
  }
  EXPECT_EQ(done[0], done[1]);
  EXPECT_EQ(known[0], known[1]);
  EXPECT_GE(known[0].size(), 4U);
  EXPECT_THAT(read_bytes(file), ContainsRegex("\"decisions\":\\[\\[2,[0-9]+,\\[0,"));
}

TEST(LegalLog, RunsSideBySideRecordItAndObey) {
  const TemporaryFolder folder;
  const auto file = folder / "log";
  LegalAdventure env;
  const auto play = [&](RecordLog& log, std::size_t episodes) {
    RunPart part(log, 0);
    std::vector<Player<LegalAdventure, RandomAgent<LegalAdventure>>> players;
    for (std::uint64_t seed = 0; seed < 2; ++seed)
      players.push_back({env, std::make_unique<RandomAgent<LegalAdventure>>(env, seed), seed});
    VectorRunner<LegalAdventure, RandomAgent<LegalAdventure>> runner(
        players, RunSettings{"adventure", "random", "", 100, 1, 1}, {&part, text_of});
    runner.play([](const auto&) { return 1.0; }, [&](const EpisodeRecord&) { return --episodes > 0; });
  };
  {
    RecordLog log(file, "{}", Durability::process);
    play(log, 2);
  }
  const std::string begun = read_bytes(file);
  {
    RecordLog log(file, Durability::process);
    play(log, 100);
  }
  EXPECT_EQ(read_bytes(file).substr(0, begun.size()), begun);
  EXPECT_GT(read_bytes(file).size(), begun.size());
  EXPECT_THAT(begun, ContainsRegex("\"decisions\":\\[\\[0,[0-9]+,\\[[0-9,]+\\]\\],\\[1,"));
  EXPECT_EQ(*env.illegal, 0);
}

}  // namespace
}  // namespace icpi
