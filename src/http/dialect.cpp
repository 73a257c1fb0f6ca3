// SPDX-License-Identifier: MIT
#include "dialect.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "icpi/core/random.hpp"
#include "json_text.hpp"
#include "reading.hpp"

namespace icpi::http {

namespace {

void write_strings(JsonWriter& json, std::string_view key, std::span<const std::string_view> texts) {
  json.key(key).open('[');
  for (const std::string_view text : texts) json.value(text);
  json.close(']');
}

/// A grammar (GBNF) whose only sentences are `texts`.
std::string choice_grammar(std::span<const std::string_view> texts) {
  std::string grammar = "root ::= ";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) grammar += " | ";
    grammar += '"';
    for (const char c : texts[i]) {
      if (c == '"' || c == '\\') {
        grammar += '\\';
        grammar += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        grammar += fmt::format("\\x{:02X}", static_cast<unsigned>(c));
      } else {
        grammar += c;
      }
    }
    grammar += '"';
  }
  return grammar;
}

/// A regular expression that matches exactly `texts`.
std::string choice_regex(std::span<const std::string_view> texts) {
  constexpr std::string_view special = R"(\^$.|?*+()[]{})";
  std::string regex = "(";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) regex += '|';
    for (const char c : texts[i]) {
      if (special.find(c) != std::string_view::npos) regex += '\\';
      regex += c;
    }
  }
  return regex + ")";
}

void write_choices(JsonWriter& json, const WireContext& context, std::span<const std::string_view> choices) {
  if (choices.empty()) return;
  switch (context.kind) {
    case ServerKind::llama_server: json.member("grammar", std::string_view(choice_grammar(choices))); return;
    case ServerKind::sglang: json.member("regex", std::string_view(choice_regex(choices))); return;
    case ServerKind::vllm:
      if (context.options.vllm_choice_field == VllmChoiceField::guided_choice) {
        write_strings(json, "guided_choice", choices);
      } else {
        json.key("structured_outputs").open('{');
        write_strings(json, "choice", choices);
        json.close('}');
      }
      return;
    case ServerKind::automatic:
    case ServerKind::generic: return;
  }
}

/// llama.cpp's samplers beyond temperature and top_p, switched off one by one: defaults differ between versions.
void write_llama_neutral(JsonWriter& json, const WireContext& context) {
  json.member("top_k", 0).member("min_p", 0).member("typical_p", 1).member("top_n_sigma", -1);
  json.member("repeat_penalty", 1).member("repeat_last_n", 0);
  json.member("dynatemp_range", 0).member("xtc_probability", 0).member("dry_multiplier", 0).member("mirostat", 0);
  json.member("cache_prompt", true);
  if (context.slot) json.member("id_slot", *context.slot);
}

/// What servers know beyond OpenAI's fields; the defaults of vLLM and SGLang may come from the model's files.
void write_neutral_extras(JsonWriter& json, const WireContext& context) {
  switch (context.kind) {
    case ServerKind::llama_server: write_llama_neutral(json, context); return;
    case ServerKind::vllm:
    case ServerKind::sglang: json.member("top_k", -1).member("min_p", 0).member("repetition_penalty", 1); return;
    case ServerKind::automatic:
    case ServerKind::generic: return;
  }
}

/// The fields that OpenAI's two routes share.
void write_common(JsonWriter& json, const WireContext& context, const CompletionRequest& request,
                  std::string_view max_tokens_field) {
  json.member("model", std::string_view(context.model));
  json.member(max_tokens_field, request.sampling.max_tokens);
  json.member("temperature", request.sampling.temperature).member("top_p", request.sampling.top_p);
  json.member("presence_penalty", 0).member("frequency_penalty", 0);
  json.member("seed", wire_seed(request)).member("n", 1).member("stream", false);
  // A chat model may begin with a newline, a thought or a fence: its answers are cut on our side.
  const bool stops_are_sent = context.options.send_stop && context.options.dialect != Dialect::chat;
  if (stops_are_sent && !request.stop.empty()) write_strings(json, "stop", request.stop);
  write_neutral_extras(json, context);
  write_choices(json, context, request.choices);
}

class Completions final : public DialectStrategy {
 public:
  [[nodiscard]] bool prompt_arrays() const noexcept override { return true; }
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.text() + "/completions"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    JsonWriter json(body);
    json.open('{').key("prompt");
    if (requests.size() > 1) json.open('[');
    for (const CompletionRequest* request : requests) json.joined(request->prefix.text, request->query);
    if (requests.size() > 1) json.close(']');
    write_common(json, context, *requests.front(), "max_tokens");
    if (requests.front()->want_logprobs) json.member("logprobs", 1);
    json.close('}');
  }
  void read(const nlohmann::json& answer, std::span<const CompletionRequest* const> requests,
            std::span<Reading> readings) const override {
    read_choices(answer, ChoiceShape::text, requests, readings);
  }
};

class Chat final : public DialectStrategy {
 public:
  [[nodiscard]] bool prompt_arrays() const noexcept override { return false; }
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.text() + "/chat/completions"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    const CompletionRequest& request = *requests.front();
    JsonWriter json(body);
    json.open('{').key("messages").open('[');
    if (!context.options.system_message.empty()) {
      json.open('{').member("role", "system");
      json.member("content", std::string_view(context.options.system_message)).close('}');
    }
    json.open('{').member("role", "user").key("content").joined(request.prefix.text, request.query).close('}');
    json.close(']');
    write_common(json, context, request, context.options.chat_max_tokens_field);
    if (request.want_logprobs) json.member("logprobs", true);
    json.close('}');
  }
  void read(const nlohmann::json& answer, std::span<const CompletionRequest* const> requests,
            std::span<Reading> readings) const override {
    read_choices(answer, ChoiceShape::message, requests, readings);
  }
};

class LlamaNative final : public DialectStrategy {
 public:
  [[nodiscard]] bool prompt_arrays() const noexcept override { return false; }
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.root() + "/completion"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    const CompletionRequest& request = *requests.front();
    JsonWriter json(body);
    json.open('{').key("prompt").joined(request.prefix.text, request.query);
    json.member("n_predict", request.sampling.max_tokens).member("stream", false);
    json.member("temperature", request.sampling.temperature).member("top_p", request.sampling.top_p);
    json.member("presence_penalty", 0).member("frequency_penalty", 0).member("seed", wire_seed(request));
    if (context.options.send_stop && !request.stop.empty()) write_strings(json, "stop", request.stop);
    write_llama_neutral(json, context);
    if (!request.choices.empty()) json.member("grammar", std::string_view(choice_grammar(request.choices)));
    if (request.want_logprobs) json.member("n_probs", 1);
    json.close('}');
  }
  void read(const nlohmann::json& answer, std::span<const CompletionRequest* const> requests,
            std::span<Reading> readings) const override {
    read_native(answer, *requests.front(), readings.front());
  }
};

bool is_utf8(std::span<const std::string_view> texts) {
  return std::none_of(texts.begin(), texts.end(), [](std::string_view text) { return find_invalid_utf8(text); });
}

}  // namespace

const DialectStrategy& strategy(Dialect dialect) noexcept {
  static const Completions completions;
  static const Chat chat;
  static const LlamaNative native;
  switch (dialect) {
    case Dialect::completions: return completions;
    case Dialect::chat: return chat;
    case Dialect::llama_native: return native;
  }
  return completions;
}

bool honours_choices(ServerKind kind) noexcept {
  return kind == ServerKind::llama_server || kind == ServerKind::vllm || kind == ServerKind::sglang;
}

bool combinable(const CompletionRequest& a, const CompletionRequest& b) {
  return a.choices.empty() && b.choices.empty() && a.sampling == b.sampling && a.want_logprobs == b.want_logprobs &&
         (a.sampling.temperature == 0 || wire_seed(a) == wire_seed(b)) && a.timeout == b.timeout &&
         std::equal(a.stop.begin(), a.stop.end(), b.stop.begin(), b.stop.end());
}

std::string find_fault(const CompletionRequest& request, bool choices_honoured) {
  if (auto error = check_sampling(request.sampling)) return std::move(error.message);
  if (request.prefix.text.empty() && request.query.empty()) return "the prompt is empty";
  if (std::any_of(request.stop.begin(), request.stop.end(), [](std::string_view s) { return s.empty(); })) {
    return "a stop string is empty";
  }
  if (const auto at = find_invalid_utf8(request.prefix.text)) {
    return fmt::format("the prompt prefix is not UTF-8 at byte {}", *at);
  }
  if (const auto at = find_invalid_utf8(request.query)) return fmt::format("the query is not UTF-8 at byte {}", *at);
  if (!is_utf8(request.stop) || !is_utf8(request.choices)) return "a stop string or choice is not UTF-8";
  if (!request.choices.empty() && !choices_honoured) return "this server cannot be held to a list of choices";
  return {};
}

std::uint32_t wire_seed(const CompletionRequest& request) noexcept {
  const std::uint64_t bits = RandomKey(request.seed).child(request.sample_index).seed();
  return static_cast<std::uint32_t>(bits & 0x7FFFFFFFU);
}

}  // namespace icpi::http
