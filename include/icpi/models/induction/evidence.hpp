// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace icpi::induction {

/// Rows that a fit looks at, at most; also the size of a row set.
inline constexpr std::size_t most_rows = 256;

/// A set of rows.
struct RowSet {
  static constexpr std::size_t words = most_rows / 64;
  std::array<std::uint64_t, words> bits{};

  void insert(std::size_t row) noexcept { bits[row / 64] |= std::uint64_t{1} << (row % 64); }
  [[nodiscard]] bool contains(std::size_t row) const noexcept { return (bits[row / 64] >> (row % 64) & 1) != 0; }
  [[nodiscard]] bool empty() const noexcept { return (bits[0] | bits[1] | bits[2] | bits[3]) == 0; }

  friend RowSet operator&(const RowSet& a, const RowSet& b) noexcept {
    RowSet result;
    for (std::size_t i = 0; i < words; ++i) result.bits[i] = a.bits[i] & b.bits[i];
    return result;
  }
  friend RowSet operator|(const RowSet& a, const RowSet& b) noexcept {
    RowSet result;
    for (std::size_t i = 0; i < words; ++i) result.bits[i] = a.bits[i] | b.bits[i];
    return result;
  }
  [[nodiscard]] RowSet without(const RowSet& b) const noexcept {
    RowSet result;
    for (std::size_t i = 0; i < words; ++i) result.bits[i] = bits[i] & ~b.bits[i];
    return result;
  }
  friend bool operator==(const RowSet&, const RowSet&) = default;
};

/// Number of ones, without asking for a machine instruction that not every processor has.
constexpr unsigned ones(std::uint64_t x) noexcept {
  x -= (x >> 1) & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
  x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0FULL;
  return static_cast<unsigned>((x * 0x0101010101010101ULL) >> 56);
}

/// Weights of rows in half units, 1 .. 7, as bit planes.
struct RowWeights {
  std::array<RowSet, 3> plane;
  std::size_t words = RowSet::words;

  void set(std::size_t row, unsigned half_units) noexcept {
    for (std::size_t k = 0; k < plane.size(); ++k)
      if ((half_units >> k & 1) != 0) plane[k].insert(row);
  }
  /// Weight of a set, in half units.
  [[nodiscard]] unsigned of(const RowSet& a, const RowSet& b) const noexcept {
    unsigned sum = 0;
    for (std::size_t i = 0; i < words; ++i) {
      const std::uint64_t both = a.bits[i] & b.bits[i];
      if (both == 0) continue;
      sum += ones(both & plane[0].bits[i]) + 2 * ones(both & plane[1].bits[i]) + 4 * ones(both & plane[2].bits[i]);
    }
    return sum;
  }
};

/// Concentration of the Dirichlet prior of every leaf: how much a leaf expects to be unlike its first examples.
inline constexpr double concentration = 0.08;

/// Logarithms of the gamma functions in the Dirichlet-multinomial evidence, by weight in half units.
class EvidenceTables {
 public:
  static const EvidenceTables& get() {
    static const EvidenceTables tables;
    return tables;
  }
  /// ln G(A + n) - ln G(A)
  [[nodiscard]] double total(unsigned half_units) const noexcept { return total_[half_units]; }
  /// ln A + ln G(n): what label evidence is besides its base probability, for a small A.
  [[nodiscard]] double label(unsigned half_units) const noexcept { return label_[half_units]; }

 private:
  EvidenceTables() {
    for (std::size_t n = 0; n < total_.size(); ++n) {
      const double weight = static_cast<double>(n) / 2;
      total_[n] = std::lgamma(concentration + weight) - std::lgamma(concentration);
      label_[n] = n == 0 ? 0 : std::log(concentration) + std::lgamma(weight);
    }
  }
  std::array<double, 7 * most_rows + 1> total_{};
  std::array<double, 7 * most_rows + 1> label_{};
};

}  // namespace icpi::induction
