// SPDX-License-Identifier: MIT
// Real environments of Python's packages. ICPI_PYTHON names an interpreter that has them; without, the tests skip.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "icpi/core/json.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

class Packages : public CommandLineTest {
 protected:
  void SetUp() override {
    CommandLineTest::SetUp();
    const char* const python = std::getenv("ICPI_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "ICPI_PYTHON is not set: scripts/install-packages python makes one";
  }

  /// Skips unless the interpreter has the module.
  static bool has(const std::string& module) {
    return std::system(("\"$ICPI_PYTHON\" -c 'import " + module + "' 2>/dev/null").c_str()) == 0;
  }

  static Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  /// Learns for a while and checks the server; returns the records.
  std::vector<Json> play(const std::string& env, const Words& args, const Words& more) {
    Words environment{"--env-timeout", "120"};
    for (const auto& arg : args) environment = with(environment, {"--env-arg", arg});
    const auto checked = icpi(with(with({"check-env", env}, environment), {"--episodes", "2"}));
    EXPECT_EQ(checked.code, 0) << checked.out << checked.error;
    const auto result = icpi(with(with({"train", "--env", env, "--out", path("run")}, environment), more));
    EXPECT_EQ(result.code, 0) << result.error;
    return records();
  }

  /// Of the run, in which no environment failed.
  std::vector<Json> records() {
    std::vector<Json> records;
    std::ifstream in(path("run/episodes.jsonl"));
    for (std::string line; std::getline(in, line);) records.push_back(Json::parse(line));
    EXPECT_FALSE(records.empty());
    for (const Json& each : records) EXPECT_EQ(each["environment_error"].string(), "");
    return records;
  }

  /// The mean return of the last fifth of the episodes.
  static double last_returns(const std::vector<Json>& records) {
    const std::size_t count = (records.size() + 4) / 5;
    double total = 0;
    for (std::size_t i = records.size() - count; i < records.size(); ++i) total += records[i]["return"].number();
    return total / static_cast<double>(count);
  }
};

TEST_F(Packages, FrozenLakeIsLearned) {
  const auto records =
      play("gym:FrozenLake-v1", {"is_slippery=false"}, {"--options", "best", "--seeds", "0", "--steps", "600"});
  EXPECT_EQ(records[0]["domain"].string(), "FrozenLake-v1 is_slippery=false");
  EXPECT_GE(last_returns(records), 0.9);
}

TEST_F(Packages, TaxiIsTakenApart) {
  play("gym:Taxi-v4", {}, {"--agent", "random", "--seeds", "0:2", "--steps", "300"});
  EXPECT_THAT(read(path("run/log.jsonl")), HasSubstr("and passenger == "));
}

TEST_F(Packages, BlackjackCliffAndCartPole) {
  play("gym:Blackjack-v1", {}, {"--options", "best", "--seeds", "0", "--steps", "40"});
  EXPECT_THAT(read(path("run/log.jsonl")), HasSubstr("and usable_ace == "));
  std::filesystem::remove_all(path("run"));
  const auto cliff = play("gym:CliffWalking-v1", {}, {"--agent", "random", "--seeds", "0", "--steps", "150"});
  EXPECT_EQ(cliff[0]["length"].number(), 100);
  std::filesystem::remove_all(path("run"));
  play("gym:CartPole-v1", {"bins=[6,6,8,8]", "limits=[2.4,3,0.2094,3]"},
       {"--options", "best", "--seeds", "0", "--steps", "40"});
  EXPECT_THAT(read(path("run/log.jsonl")), HasSubstr("and angular_velocity == "));
}

TEST_F(Packages, RealNumbersNeedAWord) {
  const auto result = icpi({"train", "--env", "gym:CartPole-v1", "--env-timeout", "120", "--out", path("run")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.error, HasSubstr("say bins=N, or decimals=N"));
  const auto unknown = icpi({"check-env", "gym:NoSuchGame-v0", "--env-timeout", "120"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.error, HasSubstr("NoSuchGame"));
}

TEST_F(Packages, MiniGridByStateAndByView) {
  const auto empty = play("minigrid:MiniGrid-Empty-5x5-v0", {"actions=left,right,forward"},
                          {"--options", "best", "--seeds", "0", "--steps", "200"});
  EXPECT_GE(last_returns(empty), 0.9);
  std::filesystem::remove_all(path("run"));
  play("minigrid:MiniGrid-DoorKey-5x5-v0", {"view=grid"},
       {"--agent", "random", "--seeds", "0", "--steps", "60", "--window", "2"});
  EXPECT_THAT(read(path("run/log.jsonl")), AllOf(HasSubstr("row_6_before_1 == "), HasSubstr("#")));
  std::filesystem::remove_all(path("run"));
  play("minigrid:MiniGrid-DoorKey-5x5-v0", {"reset_seed=0"}, {"--agent", "random", "--seeds", "0", "--steps", "100"});
  EXPECT_THAT(read(path("run/log.jsonl")), AllOf(HasSubstr("carrying == "), HasSubstr("door == ")));
  std::filesystem::remove_all(path("run"));
  const auto cut = play("minigrid:MiniGrid-Empty-5x5-v0", {"max_episode_steps=7"},
                        {"--agent", "random", "--seeds", "0", "--steps", "30"});
  for (const Json& each : cut) EXPECT_LE(each["length"].number(), 7);
}

TEST_F(Packages, NumPysNumbersAndBoolsAreTaken) {
  std::ofstream(path("scalars.py"))
      << "import numpy as np\n"
         "from icpi_environment import *\n"
         "class E(Environment):\n"
         "    name = 'scalars'; fields = [integer('x'), decimal('y', 1)]; actions = ['a', 'b']\n"
         "    reward_bounds = np.array([0, 1]); step_limit = np.int64(5)\n"
         "    def reset(self, seed): return np.array([1, 0], dtype=np.int32)\n"
         "    def step(self, action):\n"
         "        return [np.int8(2), np.float32(.5)], np.float32(1), np.bool_(action == 'a'), np.False_\n"
         "serve(E)\n";
  const std::string command = std::string("process: ") + std::getenv("ICPI_PYTHON") + " " + path("scalars.py");
  for (const Json& each : play(command, {}, {"--agent", "random", "--seeds", "0", "--steps", "20"}))
    EXPECT_LE(each["length"].number(), 5);
}

TEST_F(Packages, AtariByBytesOfItsMemory) {
  if (!has("ale_py")) GTEST_SKIP() << "ale_py is not installed";
  play("ale:Freeway", {"frameskip=16", "bins=32", "max_episode_steps=20"},
       {"--agent", "random", "--seeds", "0", "--steps", "40"});
  EXPECT_THAT(read(path("run/log.jsonl")), HasSubstr("player_y == "));
  std::filesystem::remove_all(path("run"));
  const auto records = play("ale:Tennis", {"bytes=ball_x:16,ball_y:15", "actions=noop,up,fire", "max_episode_steps=20"},
                            {"--agent", "random", "--seeds", "0", "--steps", "40"});
  EXPECT_EQ(records[0]["length"].number(), 20);
  EXPECT_THAT(read(path("run/log.jsonl")), ContainsRegex("ball_x == [0-9]+ and ball_y == [0-9]+"));
}

TEST_F(Packages, FreewayIsLearned) {
  if (!has("ale_py")) GTEST_SKIP() << "ale_py is not installed";
  // The cars are not shown: what was seen in one place is no promise for the next time, so recalling it misleads.
  const Words options{"--step-limit", "250", "--seeds", "0", "--steps", "1000", "--set", "context_tokens=3800"};
  const auto records =
      play("ale:Freeway", {"frameskip=16", "bins=32", "repeat_action_probability=0"}, with(options, asking_much));
  EXPECT_GE(last_returns(records), 5);  // at random it is .3 times across the road
}

TEST_F(Packages, AtariSaysWhatItCannotDo) {
  if (!has("ale_py")) GTEST_SKIP() << "ale_py is not installed";
  const auto refused = [&](const std::string& env, const Words& args) {
    Words words{"check-env", env, "--env-timeout", "120"};
    for (const auto& arg : args) words = with(words, {"--env-arg", arg});
    const auto result = icpi(words);
    EXPECT_EQ(result.code, 2) << result.out;
    return result.error;
  };
  EXPECT_THAT(refused("ale:Tennis", {}), AllOf(HasSubstr("Tennis"), HasSubstr("bytes=NAME:ADDRESS")));
  EXPECT_THAT(refused("ale:Tennis", {"bytes=ball:128"}), HasSubstr("'ball:128' is no NAME:ADDRESS of 0 to 127"));
  EXPECT_THAT(refused("ale:Pong", {"bins=257"}), HasSubstr("bins=257: allowed: 1 to 256"));
  EXPECT_THAT(refused("ale:NoSuchGame", {"bytes=ball:1"}), HasSubstr("NoSuchGame"));
  EXPECT_THAT(refused("ale:Pong", {"actions=jump"}), HasSubstr("'jump' is none of noop, fire, right"));
  EXPECT_THAT(refused("gym:ale_py:ALE/Pong-v5", {"obs_type=ram"}), HasSubstr("an observation has 128 numbers"));
}

TEST_F(Packages, OpenSpielAgainstARandomOpponent) {
  if (!has("pyspiel")) GTEST_SKIP() << "open_spiel is not installed";
  for (const char* agent : {"random", "tabular-q", "matching-model", "icpi"}) {
    std::filesystem::remove_all(path("run"));
    const auto records = play("openspiel:tic_tac_toe", {"illegal=error"},
                              {"--agent", agent, "--options", "best", "--seeds", "0", "--steps", "60"});
    for (const Json& each : records) EXPECT_LE(each["length"].number(), 5);
    EXPECT_THAT(read(path("run/log.jsonl")), ContainsRegex("\"decisions\":\\[\\[0,[0-8],\\[0,1,2,3,")) << agent;
  }
}

TEST_F(Packages, TextWorldMadeOnTheSpot) {
  if (!has("textworld")) GTEST_SKIP() << "textworld is not installed";
  for (const char* agent : {"random", "icpi"}) {
    std::filesystem::remove_all(path("run"));
    play("textworld:1", {"rooms=2", "objects=2", "quest_length=2", "folder=" + path("games")},
         {"--agent", agent, "--options", "best", "--seeds", "0", "--steps", "60", "--step-limit", "20"});
    const std::string log = read(path("run/log.jsonl"));
    EXPECT_THAT(log, AllOf(HasSubstr("text == "), Not(HasSubstr("That cannot be done.")))) << agent;
  }
}

TEST_F(Packages, TrafficIsAsTheSchemaSays) {
  if (!has("jsonschema")) GTEST_SKIP() << "jsonschema is not installed";
  const std::string python = std::getenv("ICPI_PYTHON");
  const std::string proxy =
      "process: " + python + " " + ICPI_SOURCE_DIR "/tests/process/schema_proxy.py " + path("said");
  const std::string servers = ICPI_SOURCE_DIR "/python/servers/";
  for (const std::string& server : {std::string(ICPI_SOURCE_DIR) + "/tests/process/walk_server.py",
                                    servers + "gym_server.py Taxi-v4", servers + "openspiel_server.py tic_tac_toe"}) {
    std::filesystem::remove_all(path("run"));
    const Words env{"--env-timeout", "120"};
    const std::string command = proxy + " " + python + " " + server;
    const auto checked = icpi(with({"check-env", command, "--episodes", "2"}, env));
    EXPECT_EQ(checked.code, 0) << checked.out << checked.error;
    const auto trained =
        icpi(with({"train", "--env", command, "--out", path("run"), "--steps", "30", "--seeds", "0:2"}, env));
    EXPECT_EQ(trained.code, 0) << trained.error;
  }
  const std::string said = read(path("said"));
  for (const std::string kind : {"spec", "reset", "step", "legal_actions", "set_state"})
    EXPECT_THAT(said, HasSubstr("answer to " + kind + "\n"));
  EXPECT_THAT(said, AllOf(HasSubstr("request close\n"), Not(HasSubstr("NOT ALLOWED"))));
  const std::string check = "\"$ICPI_PYTHON\" " ICPI_SOURCE_DIR "/tests/process/schema_proxy.py check > ";
  ASSERT_EQ(std::system((check + path("passed")).c_str()), 0);
  EXPECT_EQ(read(path("passed")), "");
}

TEST_F(Packages, DatasetsOfMinariAreHistories) {
  const std::string script = "\"$ICPI_PYTHON\" " ICPI_SOURCE_DIR "/tests/process/hdf5_dataset.py ";
  const std::string convert = "\"$ICPI_PYTHON\" " ICPI_SOURCE_DIR "/python/servers/minari_history.py ";
  const std::string env = " gym:FrozenLake-v1 is_slippery=false > ";
  if (!has("h5py")) GTEST_SKIP() << "h5py is not installed";
  ASSERT_EQ(std::system((script + path("main_data.hdf5") + " 150").c_str()), 0);
  ASSERT_EQ(std::system((convert + path("main_data.hdf5") + env + path("history.jsonl")).c_str()), 0);
  const std::string lines = read(path("history.jsonl"));
  EXPECT_THAT(lines, HasSubstr(R"({"observation":[0,0],"action":"down","reward":0.0,"terminated":false,)"));
  const auto result =
      icpi({"train", "--env", "gym:FrozenLake-v1", "--env-arg", "is_slippery=false", "--history", path("history.jsonl"),
            "--steps", "40", "--seeds", "0", "--env-timeout", "120", "--out", path("run")});
  EXPECT_EQ(result.code, 0) << result.error;
  if (!has("minari")) return;
  setenv("MINARI_DATASETS_PATH", path("datasets").c_str(), 1);
  ASSERT_EQ(std::system((script + "- 150 icpi/lake-v0").c_str()), 0);
  ASSERT_EQ(std::system((convert + "icpi/lake-v0" + env + path("minari.jsonl")).c_str()), 0);
  EXPECT_EQ(read(path("minari.jsonl")), lines);
}

}  // namespace
}  // namespace icpi::program
