// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "icpi/prompt/text_parts.hpp"

namespace icpi {

/// The numbers that stand at one place of texts. Those that have left leave it as if they had never been there.
class NumberRange {
 public:
  /// Takes in a number.
  void add(double value) noexcept {
    low_ = held_ == 0 ? value : std::min(low_, value);
    high_ = held_ == 0 ? value : std::max(high_, value);
    ++held_;
  }
  /// Lets one go. False: those that are left have to be taken in anew, after clear().
  [[nodiscard]] bool remove(double value) noexcept { return --held_ == 0 || (value != low_ && value != high_); }
  /// Lets all go.
  void clear() noexcept { held_ = 0; }
  /// How many there are.
  [[nodiscard]] std::size_t held() const noexcept { return held_; }

  /// Adopts the unit of the numbers that are there: the smallest power of two that is at least the difference of the
  /// largest and the smallest; 0 where all are equal. Whether that is another one than before.
  bool settle() noexcept {
    const double apart = held_ == 0 ? 0 : high_ - low_;
    const double unit = apart > 0 ? std::exp2(std::ceil(std::log2(apart))) : 0;
    return std::exchange(unit_, unit) != unit;
  }

  /// How unlike two numbers are, from 0 to 1: their difference in units; without a unit, whether they differ.
  [[nodiscard]] double apart(double left, double right) const noexcept {
    if (unit_ == 0) return left == right ? 0 : 1;
    return std::min(1.0, std::abs(left - right) / unit_);
  }

  /// The line below a number on a grid of 65,536 lines a unit that is moved by `shift` units.
  [[nodiscard]] std::uint64_t line(double value, double shift) const noexcept {
    constexpr double lines = 65536;
    constexpr std::int64_t most = std::int64_t{1} << 48U;
    const double at = std::floor((value / (unit_ == 0 ? 1 : unit_) + shift) * lines);
    const double within = std::clamp(at, -static_cast<double>(most), static_cast<double>(most));
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(within) + most);
  }

 private:
  double low_ = 0;
  double high_ = 0;
  double unit_ = 0;
  std::size_t held_ = 0;
};

/// What texts have in common that differ in their numbers only.
struct TextShape {
  std::vector<TextPart> parts;       ///< all, from left to right
  std::vector<NumberRange*> ranges;  ///< of the numeric ones; null where nothing is known of such a number
  std::size_t texts = 0;             ///< how many have it

  /// An order of shapes that depends on them alone: by their first different parts, from the left or from the right.
  [[nodiscard]] bool before(const TextShape& other, bool from_left) const {
    const auto less = [](const TextPart& left, const TextPart& right) {
      return std::pair(left.code, left.numeric) < std::pair(right.code, right.numeric);
    };
    if (from_left)
      return std::lexicographical_compare(parts.begin(), parts.end(), other.parts.begin(), other.parts.end(), less);
    return std::lexicographical_compare(parts.rbegin(), parts.rend(), other.parts.rbegin(), other.parts.rend(), less);
  }
};

/// How unlike two texts are: what their parts cost together. Parts are paired from the left as long as both are numbers or
/// both the same word, and from there on from the right. A pair of numbers costs their NumberRange::apart, by the ranges
/// of `right`; of other unequal parts 1; a part of the longer text that has no partner 1.
[[nodiscard]] inline double unlikeness(const TextShape& left, std::span<const double> left_numbers,
                                       const TextShape& right, std::span<const double> right_numbers) {
  double cost = 0;
  if (&left == &right) {
    for (std::size_t i = 0; i < left_numbers.size(); ++i)
      cost += right.ranges[i]->apart(left_numbers[i], right_numbers[i]);
    return cost;
  }
  const auto paired = [](const TextPart& one, const TextPart& other) {
    return one.numeric ? other.numeric : one == other;
  };
  const std::size_t shorter = std::min(left.parts.size(), right.parts.size());
  std::size_t at = 0;
  std::size_t number = 0;
  for (; at < shorter && paired(left.parts[at], right.parts[at]); ++at) {
    if (!left.parts[at].numeric) continue;
    cost += right.ranges[number]->apart(left_numbers[number], right_numbers[number]);
    ++number;
  }
  std::size_t left_number = left_numbers.size();
  std::size_t right_number = right_numbers.size();
  for (std::size_t back = 1; back <= shorter - at; ++back) {
    const TextPart& one = left.parts[left.parts.size() - back];
    const TextPart& other = right.parts[right.parts.size() - back];
    if (one.numeric) --left_number;
    if (other.numeric) --right_number;
    if (one.numeric && other.numeric)
      cost += right.ranges[right_number]->apart(left_numbers[left_number], right_numbers[right_number]);
    else if (one != other)
      ++cost;
  }
  return cost + static_cast<double>(std::max(left.parts.size(), right.parts.size()) - shorter);
}

/// The shapes of the texts that are there, and the ranges of their numbers. What it gives stays where it is.
/// Thread-safety: const members may be called concurrently.
class TextShapes {
 public:
  /// The shape of a text that comes.
  const TextShape& add(const TextParts& text) {
    TextShape& shape = find_or_add(text);
    ++shape.texts;
    for (std::size_t i = 0; i < text.numbers.size(); ++i) shape.ranges[i]->add(text.numbers[i]);
    return shape;
  }

  /// A text of this shape leaves. False: the numbers of those that are left have to be taken in anew.
  [[nodiscard]] bool remove(const TextShape& left, std::span<const double> numbers) {
    bool known = true;
    for (std::size_t i = 0; i < numbers.size(); ++i) known = left.ranges[i]->remove(numbers[i]) && known;
    const auto [first, last] = shapes_.equal_range(hash(left.parts));
    const auto found = std::find_if(first, last, [&](const auto& each) { return &each.second == &left; });
    if (--found->second.texts > 0) return known;
    shapes_.erase(found);
    std::erase_if(ranges_, [](const auto& each) { return each.second.held() == 0; });
    return known;
  }

  /// Takes in the numbers of all texts anew: `for_each_text(take)` calls take(shape, numbers) for each that is there.
  template <class ForEachText>
  void take_anew(ForEachText&& for_each_text) {
    for (auto& [code, range] : ranges_) range.clear();
    for_each_text([](const TextShape& shape, std::span<const double> numbers) {
      for (std::size_t i = 0; i < numbers.size(); ++i) shape.ranges[i]->add(numbers[i]);
    });
  }

  /// Adopts units; see NumberRange::settle. Whether one has changed.
  bool settle() noexcept {
    bool changed = false;
    for (auto& [code, range] : ranges_) changed = range.settle() || changed;
    return changed;
  }

  /// The shape of a text that is not there: one that is, or else `other`, which becomes it.
  const TextShape& find(const TextParts& text, TextShape& other) const {
    const auto [first, last] = shapes_.equal_range(hash(text.parts));
    for (auto each = first; each != last; ++each)
      if (each->second.parts == text.parts) return each->second;
    other.parts = text.parts;
    other.ranges.assign(text.numbers.size(), nullptr);
    return other;
  }

 private:
  static std::uint64_t hash(const std::vector<TextPart>& parts) noexcept {
    std::uint64_t result = parts.size();
    for (const TextPart& each : parts) result = (result ^ each.code) * 0x9E3779B97F4A7C15;
    return result;
  }

  TextShape& find_or_add(const TextParts& text) {
    const std::uint64_t key = hash(text.parts);
    const auto [first, last] = shapes_.equal_range(key);
    for (auto each = first; each != last; ++each)
      if (each->second.parts == text.parts) return each->second;
    TextShape& added = shapes_.emplace(key, TextShape{text.parts, {}, 0})->second;
    for (const TextPart& each : text.parts)
      if (each.numeric) added.ranges.push_back(&ranges_[each.code]);
    return added;
  }

  std::unordered_multimap<std::uint64_t, TextShape> shapes_;  ///< by hash
  std::unordered_map<std::uint64_t, NumberRange> ranges_;     ///< by what they are numbers of
};

}  // namespace icpi
