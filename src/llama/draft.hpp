// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "icpi/llama/options.hpp"
#include "request_tokens.hpp"

namespace icpi::llama {

/// A completion under way, and how it is guessed to go on.
struct Draft {
  const CompletionRequest* request = nullptr;
  std::string_view written;   ///< of the completion so far
  std::vector<Token> tokens;  ///< of the prompt and of what is written
  std::size_t room = 0;       ///< tokens that it may have
  std::vector<Token> guess;   ///< to be filled; empty: no idea
};

/// Guesses how completions go on, so that the model can check several tokens in one computation (speculative decoding;
/// Leviathan, Kalman, Matias, ICML 2023). Guesses decide how much is computed, never what is answered.
class Drafter {
 public:
  virtual ~Drafter() = default;
  /// Fills the guess of each.
  virtual void draft(std::span<Draft> drafts) = 0;
};

/// What the options name; null: none. `tokenizer` and the model behind it must outlive the result.
[[nodiscard]] std::unique_ptr<Drafter> make_drafter(const Options& options, const RequestTokenizer& tokenizer);

/// What followed, where the last tokens stood before: the latest place that shares the most of them, up to four and at
/// least two. At most `room` tokens; empty: there is no such place.
[[nodiscard]] std::vector<Token> what_followed(std::span<const Token> tokens, std::size_t room);

}  // namespace icpi::llama
