// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace icpi {

namespace detail {

/// One block of Philox4x32 with ten rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
/// a bijection of the 128-bit counter, keyed by 64 bits. Same words as C++26 std::philox4x32 for the same key.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

}  // namespace detail

/// Names a random stream. Keys form a tree: `RandomKey(seed).child(episode).child(step)` is a stream of its own,
/// whatever was drawn elsewhere and in whichever order. A value; distinct objects may be used concurrently.
class RandomKey {
 public:
  constexpr RandomKey() noexcept = default;
  /// The root of a tree of keys.
  constexpr explicit RandomKey(std::uint64_t seed) noexcept : key_(seed) {}

  /// The key of branch `index`; children of one key never share a stream with it (up to 64-bit collisions).
  [[nodiscard]] constexpr RandomKey child(std::uint64_t index) const noexcept {
    const auto block = words({low(index), high(index), 0, 1});
    return RandomKey(std::uint64_t{block[1]} << 32 | block[0]);
  }

  /// 64 uniform bits that depend on this key alone: a seed for what takes one.
  [[nodiscard]] constexpr std::uint64_t seed() const noexcept {
    const auto block = words({0, 0, 0, 2});
    return std::uint64_t{block[1]} << 32 | block[0];
  }

  /// Block `index` of this key's own stream.
  [[nodiscard]] constexpr std::array<std::uint32_t, 4> block(std::uint64_t index) const noexcept {
    return words({low(index), high(index), 0, 0});
  }

  friend constexpr bool operator==(RandomKey, RandomKey) noexcept = default;

 private:
  static constexpr std::uint32_t low(std::uint64_t value) noexcept { return static_cast<std::uint32_t>(value); }
  static constexpr std::uint32_t high(std::uint64_t value) noexcept { return static_cast<std::uint32_t>(value >> 32); }
  [[nodiscard]] constexpr std::array<std::uint32_t, 4> words(std::array<std::uint32_t, 4> counter) const noexcept {
    return detail::philox4x32(counter, {low(key_), high(key_)});
  }

  std::uint64_t key_ = 0;
};

/// The child of a key that was asked for last, for those who ask for the same again and again. A value; not for
/// concurrent use of one object.
class LastChild {
 public:
  /// parent.child(index).
  constexpr RandomKey of(RandomKey parent, std::uint64_t index) noexcept {
    if (parent != parent_ || index != index_) {
      parent_ = parent;
      index_ = index;
      child_ = parent.child(index);
    }
    return child_;
  }

 private:
  RandomKey parent_;
  std::uint64_t index_ = 0;
  RandomKey child_ = RandomKey().child(0);
};

/// A stream of random words: a std::uniform_random_bit_generator over 32-bit words, and the few draws icpi needs, the
/// same on every platform. A value: copying it copies the position. Not for concurrent use of one object.
class RandomStream {
 public:
  using result_type = std::uint32_t;  ///< one word

  /// The stream of this key, from its beginning.
  constexpr explicit RandomStream(RandomKey key) noexcept : key_(key) {}

  /// Smallest word.
  static constexpr result_type min() noexcept { return 0; }
  /// Largest word.
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

  /// The next 32 uniform bits.
  constexpr result_type operator()() noexcept {
    if (used_ == block_.size()) {
      block_ = key_.block(next_block_++);
      used_ = 0;
    }
    return block_[used_++];
  }

  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform() noexcept {
    const std::uint64_t high = (*this)() >> 5;
    const std::uint64_t low = (*this)() >> 6;
    return static_cast<double>(high << 26 | low) * 0x1.0p-53;
  }

  /// Uniform in 0 .. bound - 1, without bias (Lemire, "Fast random integer generation in an interval", 2019).
  /// Precondition: 0 < bound < 2^32.
  constexpr std::size_t index(std::size_t bound) noexcept {
    const auto range = static_cast<std::uint32_t>(bound);
    const std::uint32_t threshold = (0U - range) % range;
    std::uint64_t product = 0;
    do product = std::uint64_t{(*this)()} * range;
    while (static_cast<std::uint32_t>(product) < threshold);
    return static_cast<std::size_t>(product >> 32);
  }

  /// Fisher-Yates: every order equally likely.
  template <class T>
  constexpr void shuffle(std::span<T> values) noexcept {
    for (std::size_t left = values.size(); left > 1; --left) std::swap(values[left - 1], values[index(left)]);
  }

 private:
  RandomKey key_;
  std::uint64_t next_block_ = 0;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_ = 4;
};

}  // namespace icpi
