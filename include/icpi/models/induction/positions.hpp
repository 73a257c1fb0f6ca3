// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "icpi/models/induction/parts.hpp"
#include "icpi/models/induction/prefix_index.hpp"
#include "icpi/models/induction/rows.hpp"

namespace icpi::induction {

/// A complete line of the record in progress, by form.
struct ContextLine {
  std::uint64_t key = 0;
  TemplateId form = no_template;
  std::vector<Place> places;
};

/// What a record's beginning says about its next line: which lines of the prompt can stand for it.
struct Context {
  std::vector<ContextLine> lines;        ///< the last one first
  std::span<const std::uint32_t> whole;  ///< lines whose record began with the same forms
  std::vector<std::uint32_t> similar;    ///< other lines that follow a line of similar form
};

/// Lines count as similar from here on.
inline constexpr double least_similarity = 0.5;

/// With so many lines of exactly the query's form others are not looked at.
inline constexpr std::size_t enough_whole = 48;

/// Finds, for a position of the query, the positions of the prompt that can stand for it, and sets their records
/// against the query's, token by token.
class PositionFinder {
 public:
  void forget() {
    between_.clear();
    between_bytes_ = 0;
  }

  /// Bytes that the kept alignments take, about.
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return between_bytes_; }

  void find_similar(const PrefixIndex& index, Context& context) {
    context.similar.clear();
    if (context.lines.empty()) return;
    const std::uint64_t history = context_history_;
    similar_form_.assign(index.forms().size(), -1);
    const auto lines = index.lines();
    for (std::uint32_t i = 1; i < lines.size(); ++i) {
      if (lines[i].record == i || lines[i].history == history) continue;
      const TemplateId form = lines[i - 1].form;
      signed char& similar = similar_form_[form];
      if (similar < 0) similar = alignment(index, context.lines[0], form).similarity >= least_similarity ? 1 : 0;
      if (similar == 1) context.similar.push_back(i);
    }
  }
  void set_history(std::uint64_t history) noexcept { context_history_ = history; }

  /// The table of a position: `partial` are the places of the line in progress, `whole` the lines that agree so far.
  void tabulate(const PrefixIndex& index, const Context& context, std::span<const Place> partial,
                std::span<const std::uint32_t> whole, Table& table) {
    collect(index, context, partial, whole);
    choose_columns(index, context, partial, table);
    gather(index, context, table);
  }

 private:
  struct Found {
    std::uint32_t line;
    std::uint16_t place;
    Level level;
    const Alignment* partial;  ///< null: place by place
  };
  struct PartialMatch {
    bool known = false;
    bool possible = false;
    std::uint16_t place = 0;
    const Alignment* alignment = nullptr;
  };

  static void places_of(const PrefixIndex& index, TemplateId form, std::vector<Place>& places) {
    places.clear();
    const Template& classes = index.forms()[form];
    for (std::size_t i = 0; i < classes.size(); ++i) places.push_back({classes[i], index.forms().is_space(form, i)});
  }

  const Alignment& alignment(const PrefixIndex& index, const ContextLine& line, TemplateId form) {
    const auto [entry, fresh] = between_.try_emplace(mix(line.key, form));
    if (fresh) {
      places_of(index, form, places_);
      if (line.form == form) {
        entry->second.similarity = 1;
        for (std::size_t i = 0; i < places_.size(); ++i) entry->second.place.push_back(static_cast<std::int16_t>(i));
      } else {
        entry->second = aligner_.align(line.places, places_, true).first;
      }
      between_bytes_ += sizeof *entry + entry->second.place.capacity() * sizeof(std::int16_t);
    }
    return entry->second;
  }

  static bool fits(const Template& form, std::span<const Place> partial) noexcept {
    if (form.size() < partial.size()) return false;
    for (std::size_t i = 0; i < partial.size(); ++i)
      if (!admits(form[i], partial[i].token_class) && !admits(partial[i].token_class, form[i])) return false;
    return true;
  }

  /// Where a line of this form stands when the query has written `partial`.
  const PartialMatch& match(const PrefixIndex& index, TemplateId form, std::span<const Place> partial) {
    PartialMatch& found = partial_[form];
    if (found.known) return found;
    found.known = true;
    const Template& classes = index.forms()[form];
    if (fits(classes, partial)) {
      found.possible = true;
      found.place = static_cast<std::uint16_t>(partial.size());
      return found;
    }
    if (partial.size() < 2 || form == blank_template) return found;
    places_of(index, form, places_);
    auto result = aligner_.align(partial, places_, false);
    Alignment& aligned = result.first;
    const std::size_t used = result.second;
    const auto ends_alike = [&](std::size_t back) {
      const std::int16_t place = aligned.place[partial.size() - back];
      if (used < back || place != static_cast<std::int16_t>(used - back)) return false;
      const Place& here = partial[partial.size() - back];
      return admits(classes[used - back], here.token_class) || admits(here.token_class, classes[used - back]);
    };
    if (aligned.similarity < least_similarity || used < 2 || !ends_alike(1) || !ends_alike(2)) return found;
    found.possible = true;
    found.place = static_cast<std::uint16_t>(used);
    aligned_.push_back(std::move(aligned));
    found.alignment = &aligned_.back();
    return found;
  }

  void collect(const PrefixIndex& index, const Context& context, std::span<const Place> partial,
               std::span<const std::uint32_t> whole) {
    const auto lines = index.lines();
    found_.clear();
    aligned_.clear();
    aligned_.reserve(index.forms().size());
    partial_.assign(index.forms().size(), PartialMatch{});
    marked_.assign(lines.size(), 0);
    const auto add = [&](std::uint32_t line, Level level) {
      const PartialMatch& here = match(index, lines[line].form, partial);
      marked_[line] = 1;
      if (here.possible && !(level == Level::line && here.alignment != nullptr))
        found_.push_back({line, here.place, level, here.alignment});
    };
    for (auto i = whole.rbegin(); i != whole.rend(); ++i) {
      marked_[*i] = 1;
      found_.push_back({*i, static_cast<std::uint16_t>(partial.size()), Level::whole, nullptr});
    }
    if (whole.size() >= enough_whole) return;
    if (left_out != Part::similar_records) {
      for (auto i = context.whole.rbegin(); i != context.whole.rend(); ++i)
        if (marked_[*i] == 0) add(*i, Level::similar);
      for (auto i = context.similar.rbegin(); i != context.similar.rend(); ++i)
        if (marked_[*i] == 0) add(*i, Level::similar);
    }
    if (partial.empty() || left_out == Part::lines) return;
    for (auto i = static_cast<std::uint32_t>(lines.size()); i-- > 0;)
      if (marked_[i] == 0) add(i, Level::line);
  }

  /// Columns are the places where the query's own form has a number or a varying word, and those where a row has
  /// another word.
  void choose_columns(const PrefixIndex& index, const Context& context, std::span<const Place> partial, Table& table) {
    table.columns.clear();
    const auto choose = [&](std::size_t depth, std::span<const Place> places) {
      wanted_.assign(places.size(), 0);
      for (std::size_t i = 0; i < places.size(); ++i)
        if (places[i].token_class == number_class || places[i].token_class == varying_class) wanted_[i] = 1;
      for (const Found& row : found_) want_substitutes(index, context, row, depth, places);
      for (std::size_t i = 0; i < places.size() && table.columns.size() < most_columns; ++i)
        if (wanted_[i] != 0) table.columns.push_back({static_cast<std::uint8_t>(depth), static_cast<std::uint16_t>(i)});
    };
    choose(0, partial);
    for (std::size_t depth = 1; depth <= context.lines.size(); ++depth) choose(depth, context.lines[depth - 1].places);
  }

  static constexpr std::size_t most_columns = 64;

  void want_substitutes(const PrefixIndex& index, const Context& context, const Found& row, std::size_t depth,
                        std::span<const Place> places) {
    const Line& line = index.lines()[row.line];
    if (depth == 0 ? row.partial == nullptr : row.level == Level::whole) return;
    if (row.level == Level::line && depth > 0) return;
    if (row.line < line.record + depth) return;
    const Line& other = index.lines()[row.line - depth];
    if (depth > 0 && other.form == context.lines[depth - 1].form) return;
    const Alignment& aligned = depth == 0 ? *row.partial : alignment(index, context.lines[depth - 1], other.form);
    if (depth > 0 && aligned.similarity < least_similarity) return;
    const Template& classes = index.forms()[other.form];
    for (std::size_t i = 0; i < places.size(); ++i)
      if (aligned.place[i] < 0 ? !places[i].space
                               : classes[static_cast<std::size_t>(aligned.place[i])] != places[i].token_class)
        wanted_[i] = 1;
  }

  TokenId cell(const PrefixIndex& index, const Context& context, const Found& row, Column column) {
    const Line& line = index.lines()[row.line];
    if (column.depth == 0) {
      if (row.partial == nullptr) return index.token(row.line, column.place);
      const std::int16_t place = row.partial->place[column.place];
      return place < 0 ? no_token : index.token(row.line, static_cast<std::size_t>(place));
    }
    if (row.level == Level::line || row.line < line.record + column.depth) return no_token;
    const std::uint32_t other = row.line - column.depth;
    const ContextLine& mine = context.lines[column.depth - 1U];
    if (row.level == Level::whole || index.lines()[other].form == mine.form) return index.token(other, column.place);
    const Alignment& aligned = alignment(index, mine, index.lines()[other].form);
    if (aligned.similarity < least_similarity || aligned.place[column.place] < 0) return no_token;
    return index.token(other, static_cast<std::size_t>(aligned.place[column.place]));
  }

  /// Fills the table; equal rows become one that counts its occurrences.
  void gather(const PrefixIndex& index, const Context& context, Table& table) {
    table.targets.clear();
    table.levels.clear();
    table.times.clear();
    row_cells_.clear();
    known_.clear();
    const std::size_t width = table.columns.size();
    for (const Found& row : found_) {
      const std::size_t begin = row_cells_.size();
      const TokenId target = index.token(row.line, row.place);
      std::uint64_t hash = mix(target, static_cast<std::uint64_t>(row.level));
      for (const Column column : table.columns) {
        row_cells_.push_back(cell(index, context, row, column));
        hash = mix(hash, row_cells_.back());
      }
      const auto [entry, fresh] = known_.try_emplace(hash, table.targets.size());
      if (!fresh || table.targets.size() == most_rows) {
        row_cells_.resize(begin);
        if (!fresh) ++table.times[entry->second];
        if (fresh) known_.erase(entry);
        continue;
      }
      table.targets.push_back(target);
      table.levels.push_back(row.level);
      table.times.push_back(1);
    }
    table.rows = table.targets.size();
    table.cells.resize(width * table.rows);
    for (std::size_t r = 0; r < table.rows; ++r)
      for (std::size_t c = 0; c < width; ++c) table.cells[c * table.rows + r] = row_cells_[r * width + c];
  }

  std::uint64_t context_history_ = 0;
  Aligner aligner_;
  std::unordered_map<std::uint64_t, Alignment> between_;
  std::size_t between_bytes_ = 0;
  std::vector<signed char> similar_form_;
  std::vector<PartialMatch> partial_;
  std::vector<Alignment> aligned_;
  std::vector<char> marked_;
  std::vector<Found> found_;
  std::vector<char> wanted_;
  std::vector<Place> places_;
  std::vector<TokenId> row_cells_;
  std::unordered_map<std::uint64_t, std::size_t> known_;
};

}  // namespace icpi::induction
