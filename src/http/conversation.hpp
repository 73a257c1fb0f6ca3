// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/http/options.hpp"

namespace icpi::http {

/// A part of a prompt: two views, as it may lie across the border of prefix and query.
struct PromptSlice {
  std::string_view first;
  std::string_view second;

  [[nodiscard]] bool empty() const noexcept { return first.empty() && second.empty(); }
};

/// The bytes of the prompt from `begin` to before `end`, which must lie in it.
[[nodiscard]] PromptSlice slice_of(const CompletionRequest& request, std::size_t begin, std::size_t end) noexcept;

/// A prompt as messages, by the borders that the request gives: a user message and the assistant's reply to it for every
/// example, and the question, which is the last user message. Newlines around messages are left out. Without borders all
/// of it is the question.
struct Conversation {
  struct Exchange {
    PromptSlice question;
    PromptSlice answer;
    bool in_prefix = false;  ///< lies in the prefix as a whole
  };
  std::vector<Exchange> examples;
  PromptSlice question;
};

[[nodiscard]] Conversation conversation_of(const CompletionRequest& request);

/// How many of the conversation's examples, the first ones, lie in the prefix.
[[nodiscard]] std::size_t examples_in_prefix(const Conversation& conversation);

/// A part of a message that stays as it is while the prompt grows.
struct Block {
  PromptSlice text;
  bool kept = false;  ///< what ends with it may be wanted again
};

/// A prompt as the blocks of one message, what follows the prefix last. Services refuse blocks without a letter: where
/// there would be one, the prompt is one block, which is not kept.
[[nodiscard]] std::vector<Block> blocks_of(const CompletionRequest& request);

/// The system message that goes with the style; empty: none.
[[nodiscard]] std::string_view system_text(const Options& options) noexcept;

/// Why the borders cannot be the prompt's; empty: they can.
[[nodiscard]] std::string find_border_fault(const CompletionRequest& request);

/// Whether an append-only prompt of so many examples is marked as worth keeping after the first `count` of them: at places
/// that stay where they are while the prompt grows, and at its end. At most three.
[[nodiscard]] bool is_kept_place(std::size_t count, std::size_t examples) noexcept;

/// So many examples, always the same ones, may share a block of text.
inline constexpr std::size_t examples_per_block = 16;

}  // namespace icpi::http
