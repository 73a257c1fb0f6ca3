// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/llama/options.hpp"
#include "loaded_model.hpp"
#include "prompt_tokens.hpp"

namespace icpi::llama {

/// What a file's chat template puts around messages.
struct TurnFrame {
  /// Throws InvalidArgument where the file has no chat template or one that cannot be applied.
  TurnFrame(const LoadedModel& model, const std::string& instruction);

  std::vector<Token> beginning;  ///< of a conversation up to its first user message, the system message included
  std::vector<Token> to_reply;   ///< from the end of a user message to the reply
  std::vector<Token> to_user;    ///< from the end of a reply to the next user message
  std::vector<Token> to_answer;  ///< from the end of the last user message to what the model writes
};

/// Makes tokens of requests: of their text as it is, or, in turns, of the messages that their borders tell, without the
/// newlines around them. Of the prompts of one growing prefix the longer one's tokens begin with the shorter one's.
class RequestTokenizer {
 public:
  /// `model` must outlive this object. Throws as TurnFrame.
  RequestTokenizer(const LoadedModel& model, const Options& options);

  /// Why the request's borders cannot be its prompt's; empty: they can, or do not matter.
  [[nodiscard]] std::string find_fault(const CompletionRequest& request) const;
  /// Replaces `result` by what the request's prefix has of tokens by itself.
  void tokenize_prefix(const CompletionRequest& request, TextTokens& result) const;
  /// The same where `result` is of a shorter prefix of the same identity.
  void extend_prefix(const CompletionRequest& request, TextTokens& result) const;
  /// The tokens of the prompt behind the first `known.tokens_at_cut` of its prefix.
  void tokenize_rest(const CompletionRequest& request, const TextTokens& known, std::vector<Token>& rest) const;
  /// The tokens of an answer. `ended`: with what shows that it ends there, where the request has a stop string.
  void tokenize_answer(const CompletionRequest& request, std::string_view answer, bool ended,
                       std::vector<Token>& tokens) const;

 private:
  [[nodiscard]] std::size_t append_exchanges(const CompletionRequest& request, std::size_t from, std::size_t limit,
                                             std::vector<Token>& tokens) const;
  void append_user(std::string_view message, bool first, std::vector<Token>& tokens) const;

  PromptTokenizer text_;
  std::optional<TurnFrame> turns_;
};

}  // namespace icpi::llama
