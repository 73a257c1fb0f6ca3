// SPDX-License-Identifier: MIT
#include "prompt_tokens.hpp"

#include <algorithm>
#include <string>

namespace icpi::llama {

namespace {

bool is_border(std::string_view text, std::size_t at) noexcept {
  const auto next = static_cast<unsigned char>(text[at]);
  return text[at - 1] == '\n' && next > 0x20 && next != 0x7F;
}

}  // namespace

std::string last_line(std::string_view prefix, std::string_view query) {
  const std::string_view end = query.empty() ? prefix : query;
  const std::size_t border = last_border(end);
  std::string line(end.substr(border));
  if (border == 0 && !query.empty()) line.insert(0, prefix.substr(last_border(prefix)));
  return line;
}

std::size_t last_border(std::string_view text) noexcept {
  for (std::size_t at = text.size(); at-- > 1;)
    if (is_border(text, at)) return at;
  return 0;
}

std::size_t next_border(std::string_view text, std::size_t from) noexcept {
  for (std::size_t at = from + 1; at < text.size(); ++at)
    if (is_border(text, at)) return at;
  return text.size();
}

void PromptTokenizer::tokenize(std::string_view text, TextTokens& result) const {
  result.tokens.clear();
  result.text_size = result.cut = result.tokens_at_cut = 0;
  if (const auto beginning = model_->beginning()) result.tokens.push_back(*beginning);
  result.tokens_at_cut = result.tokens.size();
  extend(text, result);
}

void PromptTokenizer::extend(std::string_view text, TextTokens& result) const {
  result.tokens.resize(result.tokens_at_cut);
  const std::size_t last = std::max(result.cut, last_border(text));
  append(text.substr(result.cut, last - result.cut), result.cut == 0, result.tokens);
  result.tokens_at_cut = result.tokens.size();
  append(text.substr(last), last == 0, result.tokens);
  result.cut = last;
  result.text_size = text.size();
}

void PromptTokenizer::tokenize_rest(std::string_view prefix, const TextTokens& known, std::string_view query,
                                    std::vector<Token>& rest) const {
  std::string text(prefix.substr(known.cut));
  text += query;
  rest.clear();
  append(text, known.cut == 0, rest);
}

void PromptTokenizer::continue_with(std::string_view text, std::string_view prompt_end,
                                    std::vector<Token>& tokens) const {
  const std::string_view line = prompt_end.substr(last_border(prompt_end));
  std::vector<Token> before;
  append(line, false, before);
  tokens.clear();
  append(std::string(line) + std::string(text), false, tokens);
  if (tokens.size() > before.size() && std::equal(before.begin(), before.end(), tokens.begin())) {
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(before.size()));
    return;
  }
  tokens.clear();
  append(text, false, tokens);
}

std::size_t PromptTokenizer::count(std::string_view text) const {
  std::vector<Token> tokens;
  append(text, false, tokens);
  return tokens.size();
}

void PromptTokenizer::append(std::string_view text, bool begins, std::vector<Token>& tokens) const {
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = next_border(text, from);
    const std::string_view part = text.substr(from, to - from);
    const bool first = begins && from == 0;
    if (part.ends_with('\n')) {
      append_line(part, first, tokens);
    } else {
      append_part(part, first, tokens);
    }
    from = to;
  }
}

void PromptTokenizer::append_part(std::string_view part, bool begins, std::vector<Token>& tokens) const {
  if (begins || !model_->adds_blank()) return model_->tokenize(part, tokens);
  // The blank goes before a newline, and both are dropped again.
  const std::size_t before = tokens.size();
  model_->tokenize("\n" + std::string(part), tokens);
  auto newline = tokens.begin() + static_cast<std::ptrdiff_t>(before);
  while (newline != tokens.end() && !model_->piece(*newline).ends_with('\n')) ++newline;
  if (newline != tokens.end()) ++newline;
  tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(before), newline);
}

/// Tokenizes as if a letter followed: several newlines in a row may be other tokens there than at the end of a text.
void PromptTokenizer::append_line(std::string_view part, bool begins, std::vector<Token>& tokens) const {
  const std::size_t before = tokens.size();
  append_part(std::string(part) + "a", begins, tokens);
  if (tokens.size() > before && model_->piece(tokens.back()) == "a") {
    tokens.pop_back();
    return;
  }
  tokens.resize(before);
  append_part(part, begins, tokens);
}

}  // namespace icpi::llama
