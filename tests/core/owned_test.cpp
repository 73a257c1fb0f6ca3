// SPDX-License-Identifier: MIT
#include "icpi/core/owned.hpp"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace icpi {
namespace {

struct Counted {
  explicit Counted(int& living_now) : living(living_now) { ++living; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  virtual ~Counted() { --living; }
  int& living;
};
struct Special final : Counted {
  using Counted::Counted;
};

static_assert(!std::is_copy_constructible_v<Owned<int>> && std::is_nothrow_move_constructible_v<Owned<int>>);
static_assert(!std::is_convertible_v<Owned<Counted>, Owned<Special>> && !std::is_convertible_v<int*, Owned<int>>);

TEST(Owned, EndsWhatItOwnsOnce) {
  int living = 0;
  {
    auto first = make_owned<Counted>(living);
    Owned<Counted> second = std::move(first);
    EXPECT_EQ(living, 1);
    EXPECT_TRUE(second && !first && first == nullptr);
    EXPECT_EQ(&second->living, &(*second).living);
  }
  EXPECT_EQ(living, 0);
}

TEST(Owned, AssignmentEndsWhatWasOwnedBefore) {
  int old_ones = 0, new_ones = 0;
  Owned<Counted> owned = make_owned<Special>(old_ones);
  owned = make_owned<Special>(new_ones);
  EXPECT_EQ(old_ones, 0);
  EXPECT_EQ(new_ones, 1);
  auto& same = owned;
  owned = std::move(same);
  EXPECT_EQ(new_ones, 1) << "assigned to itself";
  owned = nullptr;
  EXPECT_EQ(new_ones, 0);
}

TEST(Owned, ReleasesToTheCaller) {
  int living = 0;
  auto owned = make_owned<Counted>(living);
  Counted* const released = owned.release();
  EXPECT_TRUE(owned.get() == nullptr && living == 1);
  delete released;
}

}  // namespace
}  // namespace icpi
