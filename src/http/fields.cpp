// SPDX-License-Identifier: MIT
#include "fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "choices.hpp"
#include "icpi/core/hash.hpp"

namespace icpi::http {

namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

/// What servers know beyond OpenAI's fields; the defaults of vLLM and SGLang may come from the model's files.
void write_neutral_extras(BodyWriter& body, const WireContext& context) {
  if (!needs_neutral(context.kind)) return;
  body.member("presence_penalty", 0).member("frequency_penalty", 0);
  if (context.kind == ServerKind::llama_server) return write_llama_neutral(body, context);
  body.member("top_k", -1).member("min_p", 0).member("repetition_penalty", 1);
}

}  // namespace

std::optional<double> sent_temperature(const WireContext& context, const CompletionRequest& request) {
  const RequestShape& shape = context.options.request;
  if (!request.sampling.temperature) return std::nullopt;
  return std::clamp(*request.sampling.temperature, shape.lowest_temperature, shape.highest_temperature);
}

bool bounds_thought(const Options& options) noexcept {
  return options.dialect == Dialect::anthropic && options.thinking_tokens.value_or(0) > 0 && options.effort.empty();
}

std::optional<int> sent_max_tokens(const Options& options, const CompletionRequest& request) {
  if (!request.sampling.max_tokens) return std::nullopt;
  const bool thinks = options.dialect != Dialect::completions && options.dialect != Dialect::llama_native;
  return *request.sampling.max_tokens + (thinks ? options.thinking_tokens.value_or(0) : 0);
}

std::vector<std::string_view> sent_stops(const WireContext& context, std::span<const std::string_view> stops) {
  std::vector<std::string_view> taken;
  const Dialect dialect = context.options.dialect;
  // A chat model may begin with a newline, a thought or a fence: its answers are cut on our side. Responses know none.
  if (!context.options.send_stop || dialect == Dialect::chat || dialect == Dialect::responses) return taken;
  const RequestShape& request = context.options.request;
  const bool blank = request.blank_stops && dialect != Dialect::anthropic;
  for (const std::string_view stop : stops) {
    if (taken.size() < request.most_stops && (blank || !is_blank(stop))) taken.push_back(stop);
  }
  return taken;
}

bool needs_neutral(ServerKind kind) noexcept {
  return kind == ServerKind::llama_server || kind == ServerKind::vllm || kind == ServerKind::sglang;
}

void write_stops(BodyWriter& body, std::string_view field, std::span<const std::string_view> stops) {
  JsonWriter* json = stops.empty() ? nullptr : body.field(field);
  if (json == nullptr) return;
  json->open('[');
  for (const std::string_view stop : stops) json->value(stop);
  json->close(']');
}

void write_llama_neutral(BodyWriter& body, const WireContext& context) {
  body.member("top_k", 0).member("min_p", 0).member("typical_p", 1).member("top_n_sigma", -1);
  body.member("repeat_penalty", 1).member("repeat_last_n", 0);
  body.member("dynatemp_range", 0).member("xtc_probability", 0).member("dry_multiplier", 0).member("mirostat", 0);
  body.member("cache_prompt", true);
  if (context.slot) body.member("id_slot", *context.slot);
}

void write_top_p(BodyWriter& body, const CompletionRequest& request) {
  if (request.sampling.top_p != 1) write_set(body, "top_p", request.sampling.top_p);
}

std::string prompt_cache_key(const PromptPrefix& prefix) {
  if (prefix.identity == 0) return {};
  // Identities are counted anew in every process: how the prefix begins tells those of several apart.
  const std::string_view beginning = prefix.text.substr(0, prefix.text.find("\n\n"));
  return fmt::format("icpi-{}-{:016x}", prefix.identity, detail::fnv1a(beginning));
}

void write_prompt_cache(BodyWriter& body, const Options& options, const CompletionRequest& request) {
  const PromptCache cache = options.request.prompt_cache;
  if (cache == PromptCache::none) return;
  if (const std::string key = prompt_cache_key(request.prefix); !key.empty())
    body.member("prompt_cache_key", std::string_view(key));
  JsonWriter* json = cache == PromptCache::breakpoints ? body.field("prompt_cache_options") : nullptr;
  if (json != nullptr) json->open('{').member("mode", "explicit").member("ttl", "30m").close('}');
}

void write_common(BodyWriter& body, const WireContext& context, const CompletionRequest& request,
                  std::string_view max_tokens_field) {
  body.member("model", std::string_view(context.model));
  write_set(body, max_tokens_field, sent_max_tokens(context.options, request));
  write_set(body, "temperature", sent_temperature(context, request));
  if (needs_neutral(context.kind)) {
    write_set(body, "top_p", request.sampling.top_p);
  } else {
    write_top_p(body, request);
  }
  write_set(body, "seed", wire_seed(request));
  write_stops(body, "stop", sent_stops(context, request.stop));
  write_neutral_extras(body, context);
  write_choices(body, choice_form(context.options, context.kind), request.choices);
}

}  // namespace icpi::http
