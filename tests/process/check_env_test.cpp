// SPDX-License-Identifier: MIT
// What `icpi check-env` finds.
#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#include "process/environments.hpp"

namespace icpi::program {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CheckEnv : public Environments {
 protected:
  CommandResult check(const std::string& env, const std::string& episodes) {
    return icpi({"check-env", env, "--episodes", episodes, "--env-timeout", "60"});
  }
};

TEST_F(CheckEnv, FindsWhatIsWrong) {
  const auto good = check(walk(), "2");
  EXPECT_EQ(good.code, 0) << good.out << good.error;
  EXPECT_THAT(good.out, AllOf(HasSubstr("walk"), HasSubstr("every law held"), HasSubstr("legal actions")));
  unsetenv("PYTHONPATH");  // it finds icpi_environment all the same
  const auto corridor = check(script("examples/corridor_server.py"), "2");
  EXPECT_EQ(corridor.code, 0) << corridor.out << corridor.error;
  const auto ignores = check(walk("ignores_seed"), "2");
  EXPECT_EQ(ignores.code, 1);
  EXPECT_THAT(ignores.out, HasSubstr("does not do as the seed of a reset says"));
  const auto shares = check(walk("shares"), "2");
  EXPECT_EQ(shares.code, 1);
  EXPECT_THAT(shares.out, HasSubstr("Environments of one process do not change each other."));
  const auto broken = check("echo hello", "2");
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.error, HasSubstr("'hello'"));
}

TEST_F(CheckEnv, TellsTheCallThatFailsAndGoesOn) {
  const auto nan = check(walk("nan_at=1"), "4");
  EXPECT_EQ(nan.code, 1);
  EXPECT_THAT(nan.out,
              AllOf(HasSubstr("episodes: broken: Episodes can be begun and stepped to their end. Seen: seed 0, "),
                    HasSubstr("step 0 ('"), HasSubstr("'): step of environment 0: field 'wind' is nan (float)"),
                    HasSubstr("(and 3 more of 4 episodes)"), HasSubstr("No other rule was tried.")));
  const auto raises = check(walk("raises_in=2 ignores_seed"), "4");
  EXPECT_EQ(raises.code, 1);
  EXPECT_THAT(raises.out, AllOf(HasSubstr("seed 2, reset: ValueError: there is no such bridge; the server said last: "),
                                HasSubstr("does not do as the seed of a reset says"),
                                HasSubstr("tried with the first 1 of 4 episodes only")));
  EXPECT_THAT(raises.error, HasSubstr("of the rules are broken"));
  const auto broken = check(script("tests/process/broken_server.py") + " step nan", "4");
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.out, AllOf(HasSubstr("seed 0, step 0 ('"), HasSubstr("to 'step': NaN is no number of JSON")));
}

}  // namespace
}  // namespace icpi::program
