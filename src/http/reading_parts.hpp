// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "dialect.hpp"

namespace icpi::http {

/// The member of an object; nullptr: there is none, or it is no object.
[[nodiscard]] const nlohmann::json* member(const nlohmann::json& object, std::string_view key);
[[nodiscard]] const nlohmann::json* member(const nlohmann::json* object, std::string_view key);

/// A text; empty: it is none.
[[nodiscard]] std::string_view text_of(const nlohmann::json* value);

/// Whether there is a value, and not null.
[[nodiscard]] bool is_there(const nlohmann::json* value);

/// Whether a value can be a count of tokens: a number from 0 to 2^40.
[[nodiscard]] bool is_count(const nlohmann::json* number);

/// A count of tokens; anything that cannot be one is 0.
[[nodiscard]] std::uint64_t count_of(const nlohmann::json* number);

/// What a message says.
struct Content {
  std::string text;
  std::string thought;
  bool present = false;  ///< there is text, if only an empty one
  bool refusal = false;  ///< the model says that it will not answer
};

/// The text of a part of a message, or of the parts within it. Parts of thoughts (`thinking`: all of it is one) are kept
/// apart; the argument of the tool that choices are made with is text.
void read_part(const nlohmann::json& part, bool thinking, int depth, Content& content);

/// The content of a message of chat: a text, or a list of parts; the call of a tool; a thought beside it.
[[nodiscard]] Content content_of(const nlohmann::json* message);

/// Takes the text of a message into the reading, whose `finish` is known: out of its wrapping where it is a choice, else
/// cleaned. False: there is none that could be read, and the reading says why.
[[nodiscard]] bool take_content(Content content, const CompletionRequest& request, Reading& reading);

/// The last step of every reading: what was asked for beyond text must be there, and text and tokens end before the first
/// stop string.
void settle_reading(const CompletionRequest& request, bool logprobs_present, Reading& reading);

void refuse(Reading& reading, std::string problem);

}  // namespace icpi::http
