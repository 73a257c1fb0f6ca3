// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "icpi/models/induction/tokens.hpp"

namespace icpi::induction {

/// What stands at a place of a line: a number, a place where words or symbols were seen to vary, or one certain token.
using TokenClass = std::uint32_t;

inline constexpr TokenClass number_class = 0xFFFFFFFE;
inline constexpr TokenClass varying_class = 0xFFFFFFFD;

using TemplateId = std::uint32_t;

inline constexpr TemplateId blank_template = 0;
inline constexpr TemplateId no_template = 0xFFFFFFFF;

constexpr TokenClass class_of(TokenId id, TokenKind kind) noexcept {
  return kind == TokenKind::number ? number_class : id;
}

/// Whether a token of class `seen` may stand where a template has `expected`.
constexpr bool admits(TokenClass expected, TokenClass seen) noexcept {
  return expected == seen || (expected == varying_class && seen != number_class);
}

/// A kind of line: one class per token.
using Template = std::vector<TokenClass>;

/// A token of a line that is to be matched: its class, and whether it is a run of spaces.
struct Place {
  TokenClass token_class = 0;
  bool space = false;
};

/// Groups lines by their form, in the order they come: a line joins the first template with equally many tokens, the
/// same first token, spaces and numbers at the same places, and few different words; these places then vary (He et al.,
/// "Drain: an online log parsing approach with fixed depth tree", ICWS 2017, group log lines in this spirit).
class TemplateTable {
 public:
  TemplateTable() { clear(); }

  void clear() {
    templates_.assign(1, Template{});
    spaces_.assign(1, {});
    buckets_.clear();
    version_ = 0;
  }

  [[nodiscard]] std::size_t size() const noexcept { return templates_.size(); }
  [[nodiscard]] const Template& operator[](TemplateId id) const noexcept { return templates_[id]; }
  [[nodiscard]] bool is_space(TemplateId id, std::size_t place) const noexcept { return spaces_[id][place] != 0; }
  /// Grows whenever a template changes.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  /// The template that the line would join; no_template if none.
  [[nodiscard]] TemplateId find(std::span<const Place> line) const {
    if (line.empty()) return blank_template;
    const auto bucket = buckets_.find(bucket_of(line));
    if (bucket == buckets_.end()) return no_template;
    TemplateId best = no_template;
    std::size_t fewest = allowed_differences(line) + 1;
    for (const TemplateId id : bucket->second)
      if (const std::size_t count = differences(templates_[id], line, fewest); count < fewest) {
        fewest = count;
        best = id;
      }
    return best;
  }

  TemplateId assign(std::span<const Place> line) {
    TemplateId id = find(line);
    if (id == no_template) {
      id = static_cast<TemplateId>(templates_.size());
      Template classes;
      std::vector<char> spaces;
      for (const Place& place : line) {
        classes.push_back(place.token_class);
        spaces.push_back(place.space ? 1 : 0);
      }
      templates_.push_back(std::move(classes));
      spaces_.push_back(std::move(spaces));
      buckets_[bucket_of(line)].push_back(id);
      ++version_;
      return id;
    }
    Template& known = templates_[id];
    for (std::size_t i = 0; i < line.size(); ++i)
      if (!admits(known[i], line[i].token_class)) {
        known[i] = varying_class;
        ++version_;
      }
    return id;
  }

 private:
  static std::uint64_t bucket_of(std::span<const Place> line) noexcept {
    return mix(line.front().token_class, line.size());
  }

  static std::size_t allowed_differences(std::span<const Place> line) noexcept {
    const auto marks = static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](const Place& place) { return !place.space; }));
    return marks < 3 ? 0 : std::max<std::size_t>(1, marks / 4);
  }

  /// Places where the line differs from the template, varying ones included: `limit` if it cannot join.
  static std::size_t differences(const Template& known, std::span<const Place> line, std::size_t limit) noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < line.size() && count < limit; ++i) {
      const TokenClass expected = known[i];
      const TokenClass seen = line[i].token_class;
      if (expected == seen) continue;
      if (i == 0 || expected == number_class || seen == number_class || line[i].space) return limit;
      if (expected != varying_class) ++count;
    }
    return count;
  }

  std::vector<Template> templates_;
  std::vector<std::vector<char>> spaces_;
  std::unordered_map<std::uint64_t, std::vector<TemplateId>> buckets_;
  std::uint64_t version_ = 0;
};

/// For each place of one line the corresponding place of another; -1: none.
struct Alignment {
  std::vector<std::int16_t> place;
  double similarity = 0;  ///< 0 .. 1
};

/// Lines longer than this are aligned by position only.
inline constexpr std::size_t longest_aligned = 160;

/// Aligns two lines by dynamic programming (Needleman and Wunsch 1970): equal classes score most, different words may
/// stand for each other, gaps cost little.
class Aligner {
 public:
  /// The best alignment of all of `a` with the first places of `b`: with all of them, or with as many as fit best.
  /// The second value is the number of places of `b` that were used.
  std::pair<Alignment, std::size_t> align(std::span<const Place> a, std::span<const Place> b, bool whole) {
    Alignment result;
    result.place.assign(a.size(), -1);
    if (a.empty() || b.empty() || a.size() > longest_aligned || b.size() > longest_aligned) return {result, 0};
    const std::size_t width = b.size() + 1;
    fill(a, b, width);
    std::size_t j = b.size();
    const float* last = &score_[a.size() * width];
    if (!whole) j = static_cast<std::size_t>(std::max_element(last, last + width) - last);
    const std::size_t used = j;
    const float total = last[j];
    for (std::size_t i = a.size(); i > 0 && j > 0;) {
      const float here = score_[i * width + j];
      const float pair = match(a[i - 1], b[j - 1]);
      if (pair > 0 && here == score_[(i - 1) * width + j - 1] + pair) {
        result.place[--i] = static_cast<std::int16_t>(--j);
      } else if (here == score_[(i - 1) * width + j] - gap) {
        --i;
      } else {
        --j;
      }
    }
    const double best = std::max(self(a), whole ? self(b) : self(b.first(used)));
    result.similarity = best > 0 ? std::max(0.0, static_cast<double>(total)) / best : 0;
    return {std::move(result), used};
  }

 private:
  static constexpr float gap = 0.0625F;

  static float match(const Place& a, const Place& b) noexcept {
    if (a.space || b.space) return a.space && b.space ? 0.5F : -1.0F;
    if (a.token_class == b.token_class) return 2.0F;
    if (a.token_class == number_class || b.token_class == number_class) return -1.0F;
    return admits(a.token_class, b.token_class) || admits(b.token_class, a.token_class) ? 1.5F : 0.25F;
  }
  static double self(std::span<const Place> line) noexcept {
    double sum = 0;
    for (const Place& place : line) sum += place.space ? 0.5 : 2;
    return sum;
  }
  void fill(std::span<const Place> a, std::span<const Place> b, std::size_t width) {
    score_.resize((a.size() + 1) * width);
    for (std::size_t j = 0; j < width; ++j) score_[j] = -gap * static_cast<float>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
      score_[i * width] = -gap * static_cast<float>(i);
      for (std::size_t j = 1; j < width; ++j) {
        const float pair = match(a[i - 1], b[j - 1]);
        float best = std::max(score_[(i - 1) * width + j], score_[i * width + j - 1]) - gap;
        if (pair > 0) best = std::max(best, score_[(i - 1) * width + j - 1] + pair);
        score_[i * width + j] = best;
      }
    }
  }

  std::vector<float> score_;
};

}  // namespace icpi::induction
