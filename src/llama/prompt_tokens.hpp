// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "loaded_model.hpp"

namespace icpi::llama {

/// The tokens of a text, and where the text may be taken up again without changing them.
struct TextTokens {
  std::vector<Token> tokens;
  std::size_t text_size = 0;      ///< bytes
  std::size_t cut = 0;            ///< the last border in the text, in bytes; 0: there is none
  std::size_t tokens_at_cut = 0;  ///< tokens before it
};

/// Makes tokens of prompts such that they do not depend on where a prompt is split into prefix and query: the text is
/// cut at its borders - after a newline that a visible character follows - and every part is tokenized by itself.
/// Tokenizers that split words at blanks, as those of GPT-2 and its successors, cut there anyway.
class PromptTokenizer {
 public:
  /// `model` must outlive this object.
  explicit PromptTokenizer(const LoadedModel& model) : model_(&model) {}

  /// Replaces `result` by the tokens of `text` as the beginning of a prompt.
  void tokenize(std::string_view text, TextTokens& result) const;
  /// `text` begins with the text of `result`: adds the tokens of the rest.
  void extend(std::string_view text, TextTokens& result) const;
  /// The tokens of a prompt from the last border of `prefix` on, whose tokens are `known`.
  void tokenize_rest(std::string_view prefix, const TextTokens& known, std::string_view query,
                     std::vector<Token>& rest) const;
  /// The tokens of `text` behind a prompt, of which `prompt_end` holds at least the last line. When the two grow together
  /// into tokens that stand for parts of both, those of `text` alone.
  void continue_with(std::string_view text, std::string_view prompt_end, std::vector<Token>& tokens) const;
  /// Adds the tokens of a text within a prompt.
  void append(std::string_view text, std::vector<Token>& tokens) const { append(text, false, tokens); }
  /// How many those are.
  [[nodiscard]] std::size_t count(std::string_view text) const;

 private:
  void append(std::string_view text, bool begins, std::vector<Token>& tokens) const;
  void append_part(std::string_view part, bool begins, std::vector<Token>& tokens) const;
  void append_line(std::string_view part, bool begins, std::vector<Token>& tokens) const;

  const LoadedModel* model_;
};

/// The end of a prompt, from its last border on.
[[nodiscard]] std::string last_line(std::string_view prefix, std::string_view query);
/// The last border in `text`; 0: there is none.
[[nodiscard]] std::size_t last_border(std::string_view text) noexcept;
/// The first border behind `from`; the end of `text`: there is none.
[[nodiscard]] std::size_t next_border(std::string_view text, std::size_t from) noexcept;

}  // namespace icpi::llama
