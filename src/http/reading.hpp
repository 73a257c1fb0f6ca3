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

/// Judges a status other than 2xx and 3xx; `body` may be anything.
[[nodiscard]] HttpFailure judge_status(long status, const std::string& body);

}  // namespace icpi::http
