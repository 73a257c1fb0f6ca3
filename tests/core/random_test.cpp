// SPDX-License-Identifier: MIT
#include "icpi/core/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <span>
#include <vector>

namespace icpi {
namespace {

using Block = std::array<std::uint32_t, 4>;

// Known answers published with Random123 (kat_vectors, philox4x32-10).
static_assert(detail::philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(detail::philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
              Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(detail::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
static_assert(std::uniform_random_bit_generator<RandomStream>);

TEST(Philox, GivesThePublishedAnswersAtRunTime) {
  volatile std::uint32_t zero = 0;  // keeps the compiler from answering
  EXPECT_EQ(detail::philox4x32({zero, zero, zero, zero}, {zero, zero}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = ~zero;
  EXPECT_EQ(detail::philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomKey, BlocksAreTheCountersOfTheKey) {
  constexpr RandomKey key(0x299f31d0a4093822);
  EXPECT_EQ(key.block(0x85a308d3243f6a88),
            detail::philox4x32({0x243f6a88, 0x85a308d3, 0, 0}, {0xa4093822, 0x299f31d0}));
}

TEST(LastChild, IsTheChildOfTheKeyThatIsAskedFor) {
  using Numbers = std::vector<std::uint64_t>;
  LastChild last;
  EXPECT_EQ(last.of(RandomKey(), 0), RandomKey().child(0));
  for (const std::uint64_t seed : Numbers{5, 5, 6, 5, 0})
    for (const std::uint64_t index : Numbers{0, 1, 1, 0, 7})
      EXPECT_EQ(last.of(RandomKey(seed), index), RandomKey(seed).child(index));
}

TEST(RandomKey, ChildrenSeedsAndBlocksNeverMeet) {
  std::set<std::uint64_t> seen;
  std::vector<RandomKey> keys{RandomKey(0), RandomKey(1)};
  for (std::uint64_t i = 0; i < 1000; ++i) keys.push_back(RandomKey(7).child(i));
  for (std::uint64_t i = 0; i < 1000; ++i) keys.push_back(RandomKey(7).child(i).child(i));
  for (const RandomKey key : keys) {
    seen.insert(key.seed());
    const auto block = key.block(0);
    seen.insert(std::uint64_t{block[1]} << 32 | block[0]);
    seen.insert(std::uint64_t{block[3]} << 32 | block[2]);
  }
  EXPECT_EQ(seen.size(), 3 * keys.size());
}

TEST(RandomKey, DependsOnThePathAlone) {
  EXPECT_EQ(RandomKey(3).child(1).child(2), RandomKey(3).child(1).child(2));
  EXPECT_NE(RandomKey(3).child(1).child(2), RandomKey(3).child(2).child(1));
  EXPECT_NE(RandomKey(3).child(0), RandomKey(3));
  EXPECT_NE(RandomKey(3).child(0), RandomKey(4).child(0));
}

TEST(RandomStream, ReadsTheBlocksInOrderAndCopiesItsPosition) {
  const RandomKey key(5);
  RandomStream stream(key);
  for (std::uint64_t block = 0; block < 3; ++block)
    for (const std::uint32_t word : key.block(block)) EXPECT_EQ(stream(), word);
  stream();
  RandomStream copy = stream;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(copy(), stream());
}

TEST(RandomStream, UniformIsInRangeWithTheRightMoments) {
  RandomStream stream(RandomKey(11));
  constexpr int draws = 200000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double value = stream.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / draws, 0.5, 5 * std::sqrt(1.0 / 12 / draws));
  EXPECT_NEAR(squares / draws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / draws));
}

TEST(RandomStream, IndexIsUniform) {
  for (const std::size_t bound : {1U, 2U, 3U, 7U, 100U}) {
    RandomStream stream(RandomKey{bound});
    std::vector<int> counts(bound);
    const double expected = 1000;
    for (std::size_t i = 0; i < 1000 * bound; ++i) ++counts.at(stream.index(bound));
    double chi_squared = 0;
    for (const int count : counts) chi_squared += (count - expected) * (count - expected) / expected;
    const double freedom = static_cast<double>(bound) - 1;
    EXPECT_LE(chi_squared, freedom + 5 * std::sqrt(2 * freedom) + 1e-9) << bound;
  }
}

TEST(RandomStream, IndexHasNoBiasNearTheTop) {
  // With a bound of 3/4 of the words, plain scaling would make every third value twice as likely.
  constexpr std::size_t bound = 3U << 30;
  RandomStream stream(RandomKey(1));
  std::array<int, 3> counts{};
  for (int i = 0; i < 30000; ++i) ++counts[stream.index(bound) % 3];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000 * 2.0 / 3));
}

TEST(RandomStream, ShuffleMakesEveryOrderEquallyLikely) {
  std::map<std::vector<int>, int> counts;
  RandomStream stream(RandomKey(2));
  for (int i = 0; i < 24000; ++i) {
    std::vector<int> values{0, 1, 2, 3};
    stream.shuffle(std::span(values));
    ++counts[values];
  }
  EXPECT_EQ(counts.size(), 24U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000.0));
}

TEST(RandomStream, StreamsOfNeighbouringKeysAreUncorrelated) {
  constexpr int draws = 20000;
  RandomStream a(RandomKey(100));
  RandomStream b(RandomKey(101));
  RandomStream c(RandomKey(100).child(0));
  double ab = 0;
  double ac = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = a.uniform() - 0.5;
    ab += x * (b.uniform() - 0.5);
    ac += x * (c.uniform() - 0.5);
  }
  const double tolerance = 5 * std::sqrt(static_cast<double>(draws)) / 12;
  EXPECT_NEAR(ab, 0, tolerance);
  EXPECT_NEAR(ac, 0, tolerance);
}

}  // namespace
}  // namespace icpi
