// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "icpi/models/induction/templates.hpp"
#include "icpi/models/induction/tokens.hpp"

namespace icpi::induction {

/// A complete line of the prompt. Blank lines have no tokens and end a record.
struct Line {
  std::uint32_t first_token = 0;
  std::uint32_t size = 0;  ///< tokens, without the newline
  TemplateId form = blank_template;
  std::uint32_t record = 0;   ///< the first line of its record
  std::uint64_t history = 0;  ///< of the forms of the record's earlier lines
};

/// A line ends before a token that would make it longer than this, in bytes or in tokens; the rest is another line.
inline constexpr std::size_t longest_line = 4096;
inline constexpr std::size_t most_line_tokens = 512;

inline constexpr std::uint64_t record_start = 0x243F6A8885A308D3ULL;

/// Everything about a growing prompt that does not depend on the query: its tokens, lines, and where which line forms
/// stood before. Reading text in pieces gives the same as reading it at once.
class PrefixIndex {
 public:
  void clear() {
    text_.clear();
    consumed_ = 0;
    counted_ = 0;
    vocabulary_.clear();
    tokens_.clear();
    lines_.clear();
    forms_.clear();
    by_history_.clear();
    record_ = 0;
    history_ = record_start;
  }

  /// Reads `text`, which begins with everything read before.
  void extend(std::string_view text) {
    text_.append(text.substr(text_.size()));
    while (read_line()) {
    }
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// What follows the last complete line.
  [[nodiscard]] std::string_view tail() const noexcept { return std::string_view(text_).substr(consumed_); }
  /// The character before the tail, '\n' at the start.
  [[nodiscard]] char previous() const noexcept { return consumed_ == 0 ? '\n' : text_[consumed_ - 1]; }
  [[nodiscard]] const Vocabulary& vocabulary() const noexcept { return vocabulary_; }
  [[nodiscard]] const TemplateTable& forms() const noexcept { return forms_; }
  [[nodiscard]] std::span<const Line> lines() const noexcept { return lines_; }
  /// Tokens of the complete lines; a run of spaces counts with the token after it.
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_; }
  [[nodiscard]] std::span<const TokenId> tokens(const Line& line) const noexcept {
    return std::span(tokens_).subspan(line.first_token, line.size);
  }
  /// The token at a place of a line; the newline at its end.
  [[nodiscard]] TokenId token(std::uint32_t line, std::size_t place) const noexcept {
    return place < lines_[line].size ? tokens_[lines_[line].first_token + place] : newline_token;
  }
  /// Lines before which the record had forms with this hash.
  [[nodiscard]] std::span<const std::uint32_t> following(std::uint64_t history) const {
    const auto found = by_history_.find(history);
    return found == by_history_.end() ? std::span<const std::uint32_t>{} : std::span(found->second);
  }
  /// Where the record in progress stands at the end of the last complete line.
  [[nodiscard]] std::uint32_t open_record() const noexcept { return record_; }
  [[nodiscard]] std::uint64_t open_history() const noexcept { return history_; }

 private:
  /// Reads a line as soon as nothing that may follow can change it.
  bool read_line() {
    const std::string_view rest = tail().substr(0, longest_line + longest_lookahead);
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end == rest.size() && rest.size() < longest_line + longest_lookahead) return false;
    const auto first = static_cast<std::uint32_t>(tokens_.size());
    places_.clear();
    char before = previous();
    std::size_t at = 0;
    while (at < end && places_.size() < most_line_tokens) {
      const Lexeme lexeme = next_lexeme(rest, at, before);
      if (at + lexeme.size > longest_line) break;
      const TokenId id = vocabulary_.intern(rest.substr(at, lexeme.size), lexeme.kind);
      tokens_.push_back(id);
      places_.push_back({class_of(id, lexeme.kind), lexeme.kind == TokenKind::space});
      if (lexeme.kind != TokenKind::space) ++counted_;
      at += lexeme.size;
      before = rest[at - 1];
    }
    add_line(first, static_cast<std::uint32_t>(places_.size()));
    if (at == end) ++counted_;  // the newline
    consumed_ += at == end ? at + 1 : at;
    return true;
  }

  void add_line(std::uint32_t first, std::uint32_t size) {
    const TemplateId form = forms_.assign(places_);
    const auto number = static_cast<std::uint32_t>(lines_.size());
    lines_.push_back({first, size, form, record_, history_});
    by_history_[history_].push_back(number);
    if (form == blank_template) {
      record_ = number + 1;
      history_ = record_start;
    } else {
      history_ = mix(history_, form);
    }
  }

  std::string text_;
  std::size_t consumed_ = 0;
  std::uint64_t counted_ = 0;
  Vocabulary vocabulary_;
  std::vector<TokenId> tokens_;
  std::vector<Line> lines_;
  TemplateTable forms_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_history_;
  std::uint32_t record_ = 0;
  std::uint64_t history_ = record_start;
  std::vector<Place> places_;
};

}  // namespace icpi::induction
