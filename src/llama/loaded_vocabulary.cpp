// SPDX-License-Identifier: MIT
// The vocabulary of a loaded model, and its words for conversations.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "icpi/core/error.hpp"
#include "library_handles.hpp"

namespace icpi::llama {

void LoadedModel::read_vocabulary() {
  const llama_vocab* vocabulary = handles_->vocabulary;
  if (llama_vocab_get_add_bos(vocabulary) && llama_vocab_bos(vocabulary) != LLAMA_TOKEN_NULL)
    beginning_ = llama_vocab_bos(vocabulary);
  pieces_.resize(capabilities_.vocabulary);
  ends_text_.resize(capabilities_.vocabulary);
  std::string piece;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const auto token = static_cast<Token>(i);
    ends_text_[i] = llama_vocab_is_eog(vocabulary, token);
    piece.resize(64);
    auto size = llama_token_to_piece(vocabulary, token, piece.data(), static_cast<int32_t>(piece.size()), 0, false);
    if (size < 0) {
      piece.resize(static_cast<std::size_t>(-size));
      size = llama_token_to_piece(vocabulary, token, piece.data(), static_cast<int32_t>(piece.size()), 0, false);
    }
    pieces_[i] = piece.substr(0, static_cast<std::size_t>(std::max(0, size)));
  }
  std::vector<Token> probe;
  tokenize("a", probe);
  adds_blank_ = !probe.empty() && pieces_[static_cast<std::size_t>(probe.front())].starts_with(' ');
}

void LoadedModel::tokenize(std::string_view text, std::vector<Token>& tokens, bool controls) const {
  const std::size_t before = tokens.size();
  const auto size = static_cast<int32_t>(text.size());
  std::size_t room = text.size() / 2 + 16;
  for (;;) {
    tokens.resize(before + room);
    int32_t count = 0;
    try {
      count = llama_tokenize(handles_->vocabulary, text.data(), size, tokens.data() + before,
                             static_cast<int32_t>(room), false, controls);
    } catch (const std::exception& error) {
      throw InvalidArgument(
          fmt::format("llama: {}: its vocabulary cannot write a text: {}", capabilities_.file, error.what()));
    }
    tokens.resize(before + static_cast<std::size_t>(std::max(0, count)));
    if (count >= 0) return;
    room = static_cast<std::size_t>(-static_cast<std::int64_t>(count));
  }
}

std::string LoadedModel::converse(std::span<const ChatMessage> messages) const {
  const char* words = llama_model_chat_template(handles_->model.get(), nullptr);
  if (words == nullptr) return {};
  std::vector<llama_chat_message> chat;
  for (const ChatMessage& each : messages) chat.push_back({each.role, each.text});
  std::string text(1024, '\0');
  for (;;) {
    const int32_t size = llama_chat_apply_template(words, chat.data(), chat.size(), true, text.data(),
                                                   static_cast<int32_t>(text.size()));
    if (size < 0) return {};
    const bool fits = static_cast<std::size_t>(size) <= text.size();
    text.resize(static_cast<std::size_t>(size));
    if (fits) return text;
  }
}

}  // namespace icpi::llama
