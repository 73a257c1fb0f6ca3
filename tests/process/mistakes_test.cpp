// SPDX-License-Identifier: MIT
// What environments written with icpi_environment.py return by mistake: the error of one of them, and the server lives.
#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "icpi/process/environment.hpp"
#include "process/servers.hpp"

namespace icpi {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ProcessOptions careless(const std::string& spec = "") {
  ProcessOptions options = test::walk();
  options.command = {ICPI_PYTHON_PROGRAM, ICPI_SOURCE_DIR "/tests/process/careless_server.py"};
  if (!spec.empty()) options.command.push_back("spec=" + spec);
  return options;
}

/// What a call throws that leaves the server alive.
template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const EnvironmentUnreachable& error) {
    ADD_FAILURE() << error.what();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Mistakes, OfAStepAreOneEnvironmentsError) {
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"nan", "field 'wind' is nan (float): expected a finite number"},
      {"infinity", "field 'wind' is -inf (float): expected a finite number"},
      {"text for decimal", "field 'wind' is '0.5' (str): expected a finite number"},
      {"real for integer", "field 'place' is 1.0 (float): expected a whole number of 64 bits"},
      {"too large", "field 'place' is 9223372036854775808 (int): expected a whole number of 64 bits"},
      {"no category", "field 'mood' is 'mauve' (str): expected one of calm, wild"},
      {"number for text", "field 'note' is 7 (int): expected a text"},
      {"surrogate", "field 'note' is '\\ud800' (str): expected a text that UTF-8 can write"},
      {"too short", "the observation has 3 values for 4 fields"},
      {"no list", "the observation is 5 (int): expected a list, one value for each field"},
      {"nan reward", "reward is nan (float): expected a finite number"},
      {"no reward", "reward is None (NoneType): expected a finite number"},
      {"too much", "reward is 2.0: reward_bounds are [-1.0, 1.0]"},
      {"yes", "terminated is 'yes' (str): expected True or False"},
      {"one", "truncated is 1 (int): expected True or False"},
      {"nothing", "it returned None (NoneType): expected observation, reward, terminated, truncated"},
      {"unknown legal", "legal_actions: 'fly' (str) is none of the actions"},
      {"no legal", "legal_actions: there is none, and the episode goes on"},
  };
  auto envs = ProcessEnvironment::start(careless(), 2);
  const std::vector<ProcessEnvironment*> both{&envs[0], &envs[1]};
  const std::string go = "go";
  for (const auto& mistake : mistakes) {
    const std::string& action = mistake.first;
    SCOPED_TRACE(action);
    for (auto* env : both) env->reset(1);
    const std::vector<const std::string*> actions{&go, &action};
    ProcessEnvironment::begin_steps(both, actions);
    EXPECT_EQ(envs[0].step(go).reward, 0);
    EXPECT_EQ(error_of([&] { envs[1].step(action); }), "step of environment 1: " + mistake.second);
  }
  envs[1].reset(1);
  EXPECT_THAT(error_of([&] { envs[1].step("five"); }),
              HasSubstr("expected observation, reward, terminated, truncated"));
  envs[1].reset(1);
  EXPECT_EQ(envs[1].step(go).reward, 0);
}

TEST(Mistakes, OfAResetAreOneEnvironmentsError) {
  ProcessEnvironment env(careless());
  EXPECT_EQ(error_of([&] { env.reset(100); }), "reset of environment 0: the observation has 3 values for 4 fields");
  EXPECT_EQ(error_of([&] { env.reset(101); }),
            "reset of environment 0: field 'wind' is inf (float): expected a finite number");
  EXPECT_EQ(error_of([&] { env.reset(102); }), "reset of environment 0: the observation has 2 values for 4 fields");
  env.reset(1);
  EXPECT_EQ(env.step("go").reward, 0);
}

TEST(Mistakes, NumPysBoolIsNone) {
  ProcessEnvironment env(careless());
  env.reset(1);
  EXPECT_TRUE(env.step("numpy bool").terminated);
}

TEST(Mistakes, OptimumOfZeroIsSaid) { EXPECT_EQ(ProcessEnvironment(careless()).spec().optimal_return, 0.0); }

TEST(Mistakes, OfASpecAreARefusal) {
  const auto refused = [](const std::string& spec) {
    return error_of([&] { ProcessEnvironment env(careless(spec)); });
  };
  EXPECT_THAT(refused("bounds"), HasSubstr("reward_bounds is inf (float): expected a finite number"));
  EXPECT_THAT(refused("fields"), HasSubstr("fields: 'place' (str) is no field"));
  EXPECT_THAT(refused("object"), HasSubstr("serve() takes a class, or a function that makes environments"));
  EXPECT_THAT(refused("name"), HasSubstr("{1} (set) cannot be written as JSON"));
}

}  // namespace
}  // namespace icpi
