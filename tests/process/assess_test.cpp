// SPDX-License-Identifier: MIT
// How well a model predicts an environment in another process.
#include <gmock/gmock.h>

#include <fstream>
#include <string>
#include <vector>

#include "process/environments.hpp"

namespace icpi::program {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

class AssessEnvironments : public Environments {
 protected:
  CommandResult assess(const std::string& env, const Words& more = {}) {
    Words words{"assess", "--env", env, "--env-timeout", "60", "--json", path("numbers.json"), "--predict", "10"};
    words.insert(words.end(), more.begin(), more.end());
    return icpi(words);
  }
};

TEST_F(AssessEnvironments, OfAWorldWithoutChance) {
  const auto result = assess(script("examples/corridor_server.py"));
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, AllOf(HasSubstr("corridor: icpi-best with induction"), HasSubstr("Chance: 0 of "),
                                HasSubstr("A decision: about ")));
  const std::string first = read(path("numbers.json"));
  const Json json = Json::parse(first);
  const auto& rows = json["rows"].array();
  ASSERT_EQ(rows.size(), 6U);
  const Json& seen = rows[4];
  EXPECT_TRUE(seen["seen"].boolean());
  EXPECT_EQ(seen["steps"].integer<int>(), 10);
  EXPECT_GT(seen["observation"]["of"].integer<int>(), 5);
  EXPECT_EQ(seen["observation"]["right"].integer<int>(), seen["observation"]["of"].integer<int>());
  ASSERT_EQ(assess(script("examples/corridor_server.py")).code, 0);
  EXPECT_EQ(read(path("numbers.json")), first);
}

TEST_F(AssessEnvironments, ChanceIsTold) {
  ASSERT_EQ(assess("bandit:0.5,0.5").code, 0);
  EXPECT_EQ(Json::parse(read(path("numbers.json")))["chancy_places"].integer<int>(), 2);
}

TEST_F(AssessEnvironments, ServersWithLegalActionsAreAsked) {
  const auto result = assess(walk(), {"--after", "10"});
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(Json::parse(read(path("numbers.json")))["rows"].array().size(), 2U);
}

TEST_F(AssessEnvironments, ADescribedTaskStandsBeforePrompts) {
  std::ofstream(path("told.py")) << "from icpi_environment import *\n"
                                    "class Told(Environment):\n"
                                    "    name = 'told'; fields = [integer('x')]; actions = ['a', 'b']; step_limit = 3\n"
                                    "    description = 'Count to three.\\n\\nThen stop.'\n"
                                    "    def reset(self, seed): self.x = 0; return [0]\n"
                                    "    def step(self, action):\n"
                                    "        self.x += action == 'a'\n"
                                    "        return [self.x], 0, False, False\n"
                                    "serve(Told)\n";
  const std::string env = std::string("process: ") + ICPI_PYTHON_PROGRAM + " " + path("told.py");
  ASSERT_EQ(assess(env, {"--describe-task", "--record", path("answers")}).code, 0);
  EXPECT_THAT(read(path("answers")), HasSubstr("\"prefix\":\"Count to three.\\nThen stop.\\n\\nassert x == "));
  ASSERT_EQ(icpi(train(env, "run", {"--describe-task", "--steps", "12", "--seeds", "0"})).code, 0);
  EXPECT_THAT(read(path("run/run.json")), HasSubstr("\"task\":\"Count to three.\\nThen stop.\""));
  EXPECT_EQ(records("run")[0]["agent"].string(), "icpi-best-task");
  const auto none = icpi(train(script("examples/corridor_server.py"), "none", {"--describe-task"}));
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.error, HasSubstr("corridor says nothing of its task"));
}

TEST_F(AssessEnvironments, OurServersBreakNoRule) {
  for (const std::string env : {"deepsea:5", "bandit:0.3,0.5,0.8"}) {
    const auto result = icpi({"check-env", env, "--episodes", "4", "--env-timeout", "60"});
    EXPECT_EQ(result.code, 0) << result.out << result.error;
  }
  const auto random = icpi({"check-env", "deepsea:5", "--env-arg", "mapping=random", "--episodes", "4"});
  EXPECT_EQ(random.code, 0) << random.out << random.error;
}

}  // namespace
}  // namespace icpi::program
