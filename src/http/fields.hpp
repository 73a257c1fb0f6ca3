// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "body.hpp"
#include "dialect.hpp"
#include "icpi/concepts/language_model.hpp"

namespace icpi::http {

/// The request's temperature in the service's range, if it is set.
[[nodiscard]] std::optional<double> sent_temperature(const WireContext& context, const CompletionRequest& request);

/// Whether the dialect anthropic bounds a thought in tokens: beside it temperature and top_p are refused there.
[[nodiscard]] bool bounds_thought(const Options& options) noexcept;

/// The limit of tokens with room for a thought, if there is one.
[[nodiscard]] std::optional<int> sent_max_tokens(const Options& options, const CompletionRequest& request);

/// The stop strings that the service takes; the answer is cut before the first of all in any case.
[[nodiscard]] std::vector<std::string_view> sent_stops(const WireContext& context,
                                                       std::span<const std::string_view> stops);

/// Whether the server's defaults may come from the model's files, so that neutral values say something.
[[nodiscard]] bool needs_neutral(ServerKind kind) noexcept;

/// Writes a field unless it is not set.
template <class Value>
void write_set(BodyWriter& body, std::string_view field, const std::optional<Value>& value) {
  if (value) body.member(field, *value);
}

/// top_p unless it is neutral or not set.
void write_top_p(BodyWriter& body, const CompletionRequest& request);

/// The fields that OpenAI's two routes share. What is neutral everywhere is not sent: services refuse what they do not
/// know.
void write_common(BodyWriter& body, const WireContext& context, const CompletionRequest& request,
                  std::string_view max_tokens_field);

/// By what prefixes of one identity go, whatever is appended to them; empty: the prefix has no identity.
[[nodiscard]] std::string prompt_cache_key(const PromptPrefix& prefix);

/// What says which prefixes may be kept, as Options::request wants it, beyond the marks in messages.
void write_prompt_cache(BodyWriter& body, const Options& options, const CompletionRequest& request);

/// The prompt as the messages of chat and of responses, after the system message. `words_after`: more words of the last
/// one.
void write_messages(JsonWriter& json, const Options& options, const CompletionRequest& request,
                    std::string_view words_after);

void write_stops(BodyWriter& body, std::string_view field, std::span<const std::string_view> stops);

/// llama.cpp's samplers beyond temperature and top_p, switched off one by one: defaults differ between versions.
void write_llama_neutral(BodyWriter& body, const WireContext& context);

}  // namespace icpi::http
