// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "dialect.hpp"
#include "icpi/concepts/language_model.hpp"

namespace icpi::http {

/// Reads OpenAI's `choices`: `text_field` is "text" (completions) or "message" (chat). Choices are matched by their
/// `index`, whatever their order; prompts without a choice stay `unreadable`. `usage` counts all prompts of the request
/// together and is given to the first one that was answered.
void read_choices(const nlohmann::json& answer, std::string_view text_field,
                  std::span<const CompletionRequest* const> requests, std::span<Reading> readings);

/// Reads the answer of llama-server's native route.
void read_native(const nlohmann::json& answer, const CompletionRequest& request, Reading& reading);

/// What an HTTP error means.
struct HttpFailure {
  CompletionError error;
  enum class Next : std::uint8_t {
    give_up,
    retry,      ///< counts as an attempt
    come_later  ///< the server did not take the request on
  } next = Next::give_up;
};

/// Judges a status other than 2xx and 3xx; `body` may be anything; `key` is redacted from what is repeated of it.
[[nodiscard]] HttpFailure judge_status(long status, const std::string& body, const std::string& key);

/// Parses an answer; discarded when it is not JSON. What lies deeper than answers go in a long body, which would take
/// many times its size in memory, is left out.
[[nodiscard]] nlohmann::json parse_answer(const std::string& body);

/// ": " and the server's own words, when the answer is an error without a status that says so; else empty.
[[nodiscard]] std::string words_of_error(const nlohmann::json& answer, const std::string& key);

/// One line of printable UTF-8 of bounded length.
[[nodiscard]] std::string printable(std::string text);

/// `text` without `key`. Keys of fewer than 8 characters are placeholders ("none", "x"), which answers may well hold.
[[nodiscard]] std::string redacted(std::string text, const std::string& key);

}  // namespace icpi::http
