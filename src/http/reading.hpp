// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include "dialect.hpp"
#include "icpi/concepts/language_model.hpp"

namespace icpi::http {

/// How the text of a choice is found and treated.
enum class ChoiceShape : std::uint8_t {
  text,    ///< completions: taken as it is
  message  ///< chat: thoughts are kept apart, and the rest is cleaned (clean_answer)
};

/// Reads OpenAI's `choices`. They are matched by their `index`, whatever their order; of several prompts, those without
/// a choice stay `unreadable`. An answer to one prompt that has a choice or a count of tokens came in whole: it is never
/// `unreadable`. `usage` counts all prompts of the request together and is given to the first one.
void read_choices(const nlohmann::json& answer, ChoiceShape shape, std::span<const CompletionRequest* const> requests,
                  std::span<Reading> readings);

/// Reads the answer of llama-server's native route.
void read_native(const nlohmann::json& answer, const CompletionRequest& request, Reading& reading);

/// Reads a message of Anthropic. It came in whole if it has content or a count of tokens.
void read_anthropic(const nlohmann::json& answer, const CompletionRequest& request, Reading& reading);

/// Reads a response of OpenAI. It came in whole if it has output or a count of tokens.
void read_response(const nlohmann::json& answer, const CompletionRequest& request, Reading& reading);

}  // namespace icpi::http
