// SPDX-License-Identifier: MIT
#include "icpi/core/until.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stop_token>

namespace icpi {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// A token of somebody's own: a flag.
struct Flag {
  std::shared_ptr<bool> raised = std::make_shared<bool>(false);
  [[nodiscard]] bool stop_requested() const { return *raised; }
  [[nodiscard]] static bool stop_possible() { return true; }
};

static_assert(TellsToStop<std::stop_token> && TellsToStop<Flag> && !TellsToStop<int>);

TEST(StopToken, AsksAStandardTokenAndItsCopies) {
  std::stop_source source;
  const StopToken token = source.get_token();
  const StopToken copy = token;  // NOLINT(performance-unnecessary-copy-initialization): the copy is what is examined
  EXPECT_TRUE(token.stop_possible() && !token.stop_requested());
  source.request_stop();
  EXPECT_TRUE(token.stop_requested() && copy.stop_requested());
}

TEST(StopToken, AsksATokenOfSomebodysOwn) {
  const Flag flag;
  const StopToken token = flag;
  EXPECT_FALSE(token.stop_requested());
  *flag.raised = true;
  EXPECT_TRUE(token.stop_requested());
}

TEST(StopToken, OfNobodyIsNeverTold) {
  EXPECT_FALSE(StopToken().stop_possible() || StopToken().stop_requested());
  EXPECT_FALSE(StopToken(std::stop_token()).stop_possible()) << "a token without a source";
}

TEST(Until, IsNeverOverUnlessItLimits) {
  const Until never;
  EXPECT_FALSE(never.limits() || never.over());
  EXPECT_EQ(never.wait(hours(5)), hours(5));
}

TEST(Until, EndsAtTheDeadlineOrWhenTold) {
  EXPECT_TRUE(Until::after(milliseconds(0)).over());
  EXPECT_FALSE(Until::after(hours(1)).over());
  std::stop_source source;
  const Until told{.stop = source.get_token()};
  EXPECT_TRUE(told.limits() && !told.over());
  source.request_stop();
  EXPECT_TRUE(told.over());
}

TEST(Until, AtMostKeepsTheSoonerDeadlineAndTheToken) {
  std::stop_source source;
  Until until = Until::after(hours(1));
  until.stop = source.get_token();
  EXPECT_EQ(until.at_most(hours(2)).deadline, until.deadline);
  EXPECT_LT(until.at_most(milliseconds(1)).deadline, until.deadline);
  source.request_stop();
  EXPECT_TRUE(until.at_most(hours(2)).over());
}

TEST(Until, WaitsNoLongerThanAStopMayTakeToBeSeen) {
  std::stop_source source;
  EXPECT_EQ((Until{.stop = source.get_token()}.wait(hours(1))), milliseconds(50));
  EXPECT_EQ(Until::after(milliseconds(0)).wait(hours(1)), milliseconds(0));
  EXPECT_LE(Until::after(milliseconds(30)).wait(hours(1)), milliseconds(30));
}

}  // namespace
}  // namespace icpi
