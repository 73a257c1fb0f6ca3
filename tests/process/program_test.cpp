// SPDX-License-Identifier: MIT
// The program with environments in other processes.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "icpi/core/json.hpp"
#include "process/environments.hpp"

namespace icpi::program {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

TEST_F(Environments, TrainRecordsReturnsOfBothKinds) {
  const auto result = icpi(train("deepsea:4", "run", {"--options", "best", "--steps", "60", "--seeds", "0:2"}));
  ASSERT_EQ(result.code, 0) << result.error;
  const auto all = records("run");
  ASSERT_EQ(all.size(), 30U);
  for (const Json& each : all) {
    EXPECT_EQ(each["domain"].string(), "DeepSea-4");
    EXPECT_EQ(each["return"].number(), each["undiscounted_return"].number());
    EXPECT_NEAR(each["regret"].number(), 0.99 - each["return"].number(), 1e-12);
    EXPECT_TRUE(each["terminated"].boolean());
  }
  // The treasure is discounted three times, what its way costs less often.
  const Json& last = all.back();
  if (last["return"].number() > 0.5) {
    EXPECT_NEAR(last["discounted_return"].number(), 0.8480, 1e-3);
  }
}

TEST_F(Environments, UnknownOptimumIsNullAndCurvesAreOfReturns) {
  const auto result = icpi(
      train(script("examples/corridor_server.py"), "run", {"--agent", "tabular-q", "--steps", "60", "--seeds", "0:2"}));
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("corridor (mean return / last 20 %)"));
  for (const Json& each : records("run")) EXPECT_EQ(each["regret"].kind(), Json::Kind::null);
  const auto plotted = icpi({"plot", path("run"), "--out", path("figures")});
  ASSERT_EQ(plotted.code, 0) << plotted.error;
  EXPECT_THAT(read(path("figures/figure-methods.gp")), AllOf(HasSubstr("set ylabel 'return'"), HasSubstr("Return of")));
  EXPECT_THAT(plotted.out, Not(HasSubstr("(paper)")));
}

TEST_F(Environments, EveryAgentPlaysButTheOptimal) {
  for (const std::string agent : {"icpi", "no-argmax", "tabular-q", "matching-model", "random"}) {
    const auto result = icpi(train("bandit:0.2,0.9", agent, {"--agent", agent, "--steps", "12", "--seeds", "0"}));
    EXPECT_EQ(result.code, 0) << agent << ": " << result.error;
  }
  const auto refused = icpi(train("bandit:0.2,0.9", "optimal", {"--agent", "optimal"}));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.error, HasSubstr("agent 'optimal'"));
}

TEST_F(Environments, JobsChangeNothing) {
  const Words words{"--agent", "random", "--steps", "80", "--seeds", "0:4"};
  Words two = words;
  two.insert(two.end(), {"--jobs", "2"});
  ASSERT_EQ(icpi(train(script("examples/corridor_server.py"), "one", words)).code, 0);
  ASSERT_EQ(icpi(train(script("examples/corridor_server.py"), "two", two)).code, 0);
  EXPECT_EQ(read(path("one/episodes.jsonl")), read(path("two/episodes.jsonl")));
}

TEST_F(Environments, StepLimitIsSaidOnceAndCanBeSet) {
  // Never ends by itself, and says no limit.
  std::ofstream(path("endless.py")) << "from icpi_environment import *\n"
                                       "class E(Environment):\n"
                                       "    name = 'endless'; fields = [integer('x')]; actions = ['a', 'b']\n"
                                       "    def reset(self, seed): return [0]\n"
                                       "    def step(self, action): return [0], 0, False, False\n"
                                       "serve(E)\n";
  const std::string env = std::string("process: ") + ICPI_PYTHON_PROGRAM + " " + path("endless.py");
  const auto usual = icpi(train(env, "usual", {"--agent", "random", "--steps", "150", "--seeds", "0:2"}));
  ASSERT_EQ(usual.code, 0) << usual.error;
  EXPECT_THAT(usual.error, HasSubstr("truncated after 100 steps"));
  EXPECT_EQ(usual.error.find("truncated after"), usual.error.rfind("truncated after"));
  EXPECT_EQ(records("usual").front()["length"].number(), 100);
  EXPECT_TRUE(records("usual").front()["truncated"].boolean());
  const auto longer =
      icpi(train(env, "longer", {"--agent", "random", "--steps", "5", "--seeds", "0", "--step-limit", "1500"}));
  ASSERT_EQ(longer.code, 0) << longer.error;
  EXPECT_EQ(longer.error, "");
  EXPECT_EQ(records("longer").front()["length"].number(), 1500);
}

TEST_F(Environments, ShowExplainsADecision) {
  const auto result = icpi({"show", "--env", script("examples/corridor_server.py"), "--env-timeout", "60", "--options",
                            "best", "--episodes", "6"});
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, AllOf(HasSubstr("corridor"), HasSubstr("assert place =="), HasSubstr("leave()")));
}

TEST_F(Environments, EvaluatePlaysOnAndLearnsNothing) {
  ASSERT_EQ(icpi(train(script("examples/corridor_server.py"), "run",
                       {"--options", "best", "--steps", "120", "--seeds", "0:2"}))
                .code,
            0);
  const std::string log = read(path("run/log.jsonl"));
  const auto result = icpi({"evaluate", path("run"), "--episodes", "6", "--out", path("frozen")});
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, AllOf(HasSubstr("icpi-best in corridor: mean return "),
                                HasSubstr("(2 seeds, 6 episodes each)"), Not(HasSubstr("regret"))));
  const std::string bytes = read(path("frozen/evaluation.jsonl"));
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), '\n'), 12);
  EXPECT_THAT(bytes, HasSubstr("\"discounted_return\""));
  EXPECT_EQ(read(path("run/log.jsonl")), log);
  ASSERT_EQ(icpi({"evaluate", path("run"), "--episodes", "6", "--out", path("again")}).code, 0);
  EXPECT_EQ(read(path("again/evaluation.jsonl")), bytes);
  // Fewer episodes are the first of more: nothing is learned from one to the next.
  ASSERT_EQ(icpi({"evaluate", path("run"), "--episodes", "1", "--out", path("one")}).code, 0);
  const std::string one = read(path("one/evaluation.jsonl"));
  EXPECT_EQ(bytes.substr(0, bytes.find('\n')), one.substr(0, one.find('\n')));
}

TEST_F(Environments, EvaluateKnowsTheRegretOfDomains) {
  ASSERT_EQ(icpi({"train", "--domain", "chain", "--seeds", "0", "--out", path("run")}).code, 0);
  const auto result = icpi({"evaluate", path("run"), "--episodes", "3"});
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, AllOf(HasSubstr(" in chain: mean return "), HasSubstr(", regret ")));
}

TEST_F(Environments, EvaluateRefusesWhatCannotBeFrozen) {
  ASSERT_EQ(icpi({"train", "--domain", "chain", "--agent", "random", "--seeds", "0", "--out", path("run")}).code, 0);
  const auto random = icpi({"evaluate", path("run")});
  EXPECT_EQ(random.code, 2);
  EXPECT_THAT(random.error, HasSubstr("agent 'random' cannot be frozen"));
  const auto none = icpi({"evaluate", path("nowhere")});
  EXPECT_EQ(none.code, 2);
  std::ofstream(path("run/episodes.jsonl"), std::ios::trunc) << "";
  const auto half = icpi({"evaluate", path("run")});
  EXPECT_EQ(half.code, 2);
  EXPECT_THAT(half.error, HasSubstr("not complete"));
}

TEST_F(Environments, RecordAndBudgetWork) {
  Words words{"--steps", "60", "--seeds", "0", "--record", path("answers"), "--max-calls", "20"};
  words.insert(words.end(), asking_much.begin(), asking_much.end());
  const auto result = icpi(train("deepsea:3", "run", words));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("--resume"));
  EXPECT_THAT(read(path("answers")), HasSubstr("assert row =="));
  const auto on = icpi({"train", "--resume", path("run"), "--max-calls", "1000000", "--record", path("more")});
  EXPECT_EQ(on.code, 0) << on.error;
}

TEST_F(Environments, BadUsageIsNamed) {
  const auto refused = [&](const Words& words) {
    const auto result = icpi(words);
    EXPECT_EQ(result.code, 2) << result.error;
    EXPECT_FALSE(std::filesystem::exists(path("run")));
    return result.error;
  };
  EXPECT_THAT(refused(train("chess", "run")), AllOf(HasSubstr("'chess'"), HasSubstr("gym"), HasSubstr("process")));
  EXPECT_THAT(refused(train("deepsea:", "run")), HasSubstr("nothing is named"));
  EXPECT_THAT(refused(train("deepsea:many", "run")), HasSubstr("size 'many'"));
  EXPECT_THAT(refused(train("deepsea:4", "run", {"--env-arg", "depth"})), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(refused(train("deepsea:4", "run", {"--env-arg", "depth=3"})), HasSubstr("'depth' is not known"));
  EXPECT_THAT(refused(train("deepsea:4", "run", {"--domain", "chain"})), HasSubstr("one of them"));

  EXPECT_THAT(refused(train("deepsea:4", "run", {"--model", "oracle"})), HasSubstr("oracle"));
  EXPECT_THAT(refused(train("deepsea:4", "run", {"--step-limit", "0"})), HasSubstr("--step-limit"));
  EXPECT_THAT(refused(train("deepsea:4", "run", {"--window", "0"})), HasSubstr("--window"));
  EXPECT_THAT(refused({"train", "--domain", "chain", "--step-limit", "3", "--out", path("run")}), HasSubstr("--env"));
  EXPECT_THAT(refused({"train", "--out", path("run")}), HasSubstr("--domain is missing"));
}

TEST_F(Environments, InterpreterThatIsNotThereIsNamed) {
  setenv("ICPI_PYTHON", "/no/such/python", 1);
  const auto result = icpi(train("deepsea:4", "run"));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, AllOf(HasSubstr("/no/such/python"), HasSubstr("No such file")));
}

TEST_F(Environments, ErrorOfTheEnvironmentIsRecorded) {
  const Words words{"--agent", "random", "--steps", "30", "--seeds", "0", "--on-environment-error", "continue"};
  const auto result = icpi(train(walk("raises_at=3"), "run", words));
  ASSERT_EQ(result.code, 0) << result.error;
  std::size_t failed = 0;
  for (const Json& each : records("run")) failed += each["environment_error"].string().empty() ? 0 : 1;
  EXPECT_GT(failed, 0U);
  EXPECT_THAT(read(path("run/episodes.jsonl")), HasSubstr("ValueError: the bridge is out"));
}

TEST_F(Environments, WhatIsNoNumberStopsTheRunAndNotItsServer) {
  const Words words{"--agent", "random", "--steps", "30", "--seeds", "0:2"};
  const auto stopped = icpi(train(walk("nan_at=2"), "stopped", words));
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.error,
              AllOf(HasSubstr("walk, seed 0, episode "), HasSubstr("step of environment 0: field 'wind' is"),
                    HasSubstr("nan"), HasSubstr("--resume"), Not(HasSubstr("Traceback"))));
  EXPECT_EQ(std::count(stopped.error.begin(), stopped.error.end(), '\n'), 1);
  Words more = words;
  more.insert(more.end(), {"--on-environment-error", "continue"});
  const auto on = icpi(train(walk("nan_at=2"), "on", more));
  ASSERT_EQ(on.code, 0) << on.error;
  EXPECT_THAT(read(path("on/episodes.jsonl")), HasSubstr("step of environment 1: field 'wind' is nan"));
}

TEST_F(Environments, RecordedCommandsAreNamedAnewElsewhere) {
  std::filesystem::create_directory(path("there"));
  std::filesystem::copy_file(ICPI_SOURCE_DIR "/examples/corridor_server.py", path("there/corridor.py"));
  const std::string here = std::string("process: ") + ICPI_PYTHON_PROGRAM + " corridor.py";
  const Words words{"--options", "best", "--steps", "40", "--seeds", "0"};
  const auto trained = finish(start(train(here, "run", words), "cd '" + path("there") + "'"));
  ASSERT_EQ(trained.code, 0) << trained.error;
  const std::string records = read(path("run/episodes.jsonl"));
  const std::string anew = std::string("process: ") + ICPI_PYTHON_PROGRAM + " " + path("there/corridor.py");
  for (const Words& again : {Words{"evaluate", path("run"), "--episodes", "2"}, {"train", "--resume", path("run")}}) {
    const auto lost = icpi(again);
    EXPECT_EQ(lost.code, 1);
    EXPECT_THAT(lost.error, AllOf(HasSubstr("corridor.py"), HasSubstr("--env names another one")));
    Words named = again;
    named.insert(named.end(), {"--env", anew, "--env-timeout", "60"});
    const auto found = icpi(named);
    EXPECT_EQ(found.code, 0) << found.error;
  }
  EXPECT_EQ(read(path("run/episodes.jsonl")), records);
}

TEST_F(Environments, ThatIgnoreTheirSeedsCannotBeGoneOnWithAndAreNamed) {
  ASSERT_EQ(icpi(train(walk("ignores_seed"), "run", {"--agent", "random", "--steps", "60", "--seeds", "0"})).code, 0);
  const std::string log = read(path("run/log.jsonl"));
  std::ofstream(path("run/log.jsonl"), std::ios::binary) << log.substr(0, log.size() / 2);
  const auto resumed = icpi({"train", "--resume", path("run")});
  EXPECT_EQ(resumed.code, 2);
  EXPECT_THAT(resumed.error, AllOf(HasSubstr("recorded is "), HasSubstr("`icpi check-env` finds out")));
}

/// Kills servers while a run is under way, and goes on until it is whole.
TEST_F(Environments, KilledServersChangeNothing) {
  const Words words{"--agent", "random", "--steps", "400", "--seeds", "0:3", "--jobs", "1"};
  const std::string env = script("examples/corridor_server.py");
  ASSERT_EQ(icpi(train(env, "undisturbed", words)).code, 0);
  // One that ends itself, by signal 9, in its N-th step: at a place that does not depend on the machine.
  std::ofstream(path("mortal.py")) << "import os, runpy, signal, sys\nimport icpi_environment as e\n"
                                      "limit = int(open(sys.argv[1]).read())\n"
                                      "count = 0\n"
                                      "inner = e._Server.step\n"
                                      "def step(self, request):\n"
                                      "    global count\n"
                                      "    count += 1\n"
                                      "    if count == limit: os.kill(os.getpid(), signal.SIGKILL)\n"
                                      "    return inner(self, request)\n"
                                      "e._Server.step = step\n"
                                      "runpy.run_path(sys.argv[2])\n";
  const std::string mortal = std::string("process: ") + ICPI_PYTHON_PROGRAM + " " + path("mortal.py") + " " +
                             path("limit") + " " + ICPI_SOURCE_DIR "/examples/corridor_server.py";
  std::ofstream(path("limit")) << 37;
  auto result = icpi(train(mortal, "killed", words));
  int deaths = 0;
  for (int limit : {90, 91, 300, 0}) {
    if (result.code == 0) break;
    ++deaths;
    EXPECT_THAT(result.error, AllOf(HasSubstr("its process"), HasSubstr("(request 'step')"), HasSubstr("--resume")));
    std::ofstream(path("limit"), std::ios::trunc) << limit;
    result = icpi({"train", "--resume", path("killed")});
  }
  EXPECT_EQ(deaths, 4);
  ASSERT_EQ(result.code, 0) << result.error;
  const std::string bytes = read(path("undisturbed/episodes.jsonl"));
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(read(path("killed/episodes.jsonl")), bytes);
}

}  // namespace
}  // namespace icpi::program
