// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "icpi/models/induction/prefix_index.hpp"

namespace icpi::induction {

/// Lines before the current one that are looked at.
inline constexpr std::size_t deepest_line = 6;

/// The record that is being continued: its last complete lines and the line in progress, as tokens. Tokens that the
/// prefix does not know get numbers from `first_foreign` up.
class QueryText {
 public:
  static constexpr TokenId first_foreign = 0x40000000;

  /// Starts with the record that `index` leaves open.
  void begin(const PrefixIndex& index) {
    index_ = &index;
    foreign_.clear();
    tokens_.clear();
    starts_.assign(1, 0);
    history_ = index.open_history();
    previous_ = index.previous();
    counted_ = 0;
    line_bytes_ = 0;
    const auto lines = index.lines();
    const std::size_t open = lines.size() - index.open_record();
    for (std::size_t i = lines.size() - std::min(open, deepest_line); i < lines.size(); ++i) {
      const auto tokens = index.tokens(lines[i]);
      tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
      starts_.push_back(tokens_.size());
    }
  }

  /// Appends text of whole tokens.
  void append(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const Lexeme lexeme = next_lexeme(text, at, previous_);
      const std::string_view piece = text.substr(at, lexeme.size);
      push(lexeme.kind == TokenKind::newline ? newline_token : id_of(piece, lexeme.kind));
      at += lexeme.size;
    }
  }

  /// Appends one token. Lines that are too long are cut, as in the prefix.
  void push(TokenId token) {
    const std::string_view piece = text(token);
    previous_ = piece.back();
    if (info(token).kind != TokenKind::space) ++counted_;
    if (token == newline_token) {
      end_line();
      return;
    }
    if (line_bytes_ + piece.size() > longest_line || line(0).size() == most_line_tokens) end_line();
    tokens_.push_back(token);
    line_bytes_ += piece.size();
  }

  TokenId id_of(std::string_view piece, TokenKind kind) {
    const TokenId known = index_->vocabulary().find(piece);
    return known != no_token ? known : first_foreign + foreign_.intern(piece, kind);
  }

  [[nodiscard]] const TokenInfo& info(TokenId id) const noexcept {
    return id < first_foreign ? index_->vocabulary()[id] : foreign_[id - first_foreign];
  }
  [[nodiscard]] std::string_view text(TokenId id) const noexcept {
    return id < first_foreign ? index_->vocabulary().text(id) : foreign_.text(id - first_foreign);
  }
  [[nodiscard]] TokenClass class_of(TokenId id) const noexcept { return induction::class_of(id, info(id).kind); }

  /// Complete lines that are remembered.
  [[nodiscard]] std::size_t depth() const noexcept { return starts_.size() - 1; }
  /// Line 0 is the one in progress, line 1 the one before it.
  [[nodiscard]] std::span<const TokenId> line(std::size_t depth) const noexcept {
    const std::size_t last = starts_.size() - 1;
    const std::size_t begin = starts_[last - depth];
    const std::size_t end = depth == 0 ? tokens_.size() : starts_[last - depth + 1];
    return std::span(tokens_).subspan(begin, end - begin);
  }
  [[nodiscard]] std::uint64_t history() const noexcept { return history_; }
  [[nodiscard]] char previous() const noexcept { return previous_; }
  /// Tokens appended since begin(); a run of spaces counts with the token after it.
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_ + (detail::is_space(previous_) ? 1 : 0); }

  /// The places of a line, with what is known about its form.
  TemplateId describe(std::span<const TokenId> line, std::vector<Place>& places) const {
    places.clear();
    for (const TokenId id : line) {
      const TokenInfo& token = info(id);
      places.push_back({induction::class_of(id, token.kind), token.kind == TokenKind::space});
    }
    const TemplateId form = index_->forms().find(places);
    if (form == no_template) return form;
    for (std::size_t i = 0; i < places.size(); ++i) places[i].token_class = index_->forms()[form][i];
    return form;
  }

 private:
  void end_line() {
    line_bytes_ = 0;
    const auto current = line(0);
    if (current.empty()) {
      tokens_.clear();
      starts_.assign(1, 0);
      history_ = record_start;
      return;
    }
    const TemplateId form = describe(current, places_);
    std::uint64_t key = form;
    if (form == no_template)
      for (const TokenId id : current)
        key = mix(key, info(id).kind == TokenKind::number ? number_class : hash_text(text(id)));
    history_ = mix(history_, key);
    starts_.push_back(tokens_.size());
    if (depth() > deepest_line) forget_oldest();
  }

  void forget_oldest() {
    const std::size_t cut = starts_[1];
    tokens_.erase(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(cut));
    starts_.erase(starts_.begin());
    for (std::size_t& start : starts_) start -= cut;
  }

  const PrefixIndex* index_ = nullptr;
  Vocabulary foreign_;
  std::vector<TokenId> tokens_;
  std::vector<std::size_t> starts_;
  std::vector<Place> places_;
  std::uint64_t history_ = record_start;
  std::uint64_t counted_ = 0;
  std::size_t line_bytes_ = 0;
  char previous_ = '\n';
};

}  // namespace icpi::induction
