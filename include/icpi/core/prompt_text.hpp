// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "icpi/core/export.hpp"

namespace icpi {

/// The beginning that several prompts share. A view: who asks keeps the text alive until the answer is there.
struct PromptPrefix {
  /// 0: nothing is known about other prefixes. Otherwise prefixes of equal identity extend each other: the longer
  /// text begins with the shorter one, so a model may keep what it computed and compute only what was added.
  std::uint64_t identity = 0;
  std::string_view text;  ///< what the prompts begin with

  friend bool operator==(const PromptPrefix&, const PromptPrefix&) = default;
};

/// Where an example stands in a prompt: offsets in bytes from the prompt's beginning.
struct PromptExample {
  std::uint32_t question = 0;  ///< where what it asks begins
  std::uint32_t answer = 0;    ///< where that ends and the answer to it begins, its stop string included
  std::uint32_t end = 0;       ///< where the answer ends

  friend bool operator==(const PromptExample&, const PromptExample&) = default;
};

/// What a chat model is told before examples that are put to it as messages and the replies to them.
inline constexpr std::string_view turns_instruction =
    "Every user message is the beginning of a record. Reply with nothing but how it goes on, in exactly the form of "
    "the replies before.";

/// An identity that no other prefix of this process has, in whichever of its libraries it is asked for. Thread-safe.
/// Identities never influence answers.
[[nodiscard]] ICPI_API std::uint64_t new_prefix_identity();

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/prompt_text-inl.hpp"
#endif
