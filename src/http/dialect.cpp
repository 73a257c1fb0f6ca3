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

void write_strings(JsonWriter* json, std::span<const std::string_view> texts) {
  if (json == nullptr) return;
  json->open('[');
  for (const std::string_view text : texts) json->value(text);
  json->close(']');
}

/// What the service takes of them; the answer is cut before the first of all in any case.
void write_stops(BodyWriter& body, const WireContext& context, std::span<const std::string_view> stops) {
  // A chat model may begin with a newline, a thought or a fence: its answers are cut on our side alone.
  if (!context.options.send_stop || context.options.dialect == Dialect::chat) return;
  const RequestShape& request = context.options.request;
  const auto is_blank = [](std::string_view stop) {
    return stop.find_first_not_of(" \t\r\n") == std::string_view::npos;
  };
  std::vector<std::string_view> taken;
  for (const std::string_view stop : stops) {
    if (taken.size() < request.most_stops && (request.blank_stops || !is_blank(stop))) taken.push_back(stop);
  }
  if (!taken.empty()) write_strings(body.field("stop"), taken);
}

double sent_temperature(const WireContext& context, const CompletionRequest& request) {
  const RequestShape& shape = context.options.request;
  return std::clamp(request.sampling.temperature, shape.lowest_temperature, shape.highest_temperature);
}

/// Whether the server's defaults may come from the model's files, so that neutral values say something.
bool needs_neutral(ServerKind kind) {
  return kind == ServerKind::llama_server || kind == ServerKind::vllm || kind == ServerKind::sglang;
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

void write_choices(BodyWriter& body, const WireContext& context, std::span<const std::string_view> choices) {
  if (choices.empty()) return;
  switch (context.kind) {
    case ServerKind::llama_server: body.member("grammar", std::string_view(choice_grammar(choices))); return;
    case ServerKind::sglang: body.member("regex", std::string_view(choice_regex(choices))); return;
    case ServerKind::vllm:
      if (context.options.vllm_choice_field == VllmChoiceField::guided_choice) {
        write_strings(body.field("guided_choice"), choices);
      } else if (JsonWriter* json = body.field("structured_outputs")) {
        write_strings(&json->open('{').key("choice"), choices);
        json->close('}');
      }
      return;
    case ServerKind::automatic:
    case ServerKind::generic: return;
  }
}

/// llama.cpp's samplers beyond temperature and top_p, switched off one by one: defaults differ between versions.
void write_llama_neutral(BodyWriter& body, const WireContext& context) {
  body.member("top_k", 0).member("min_p", 0).member("typical_p", 1).member("top_n_sigma", -1);
  body.member("repeat_penalty", 1).member("repeat_last_n", 0);
  body.member("dynatemp_range", 0).member("xtc_probability", 0).member("dry_multiplier", 0).member("mirostat", 0);
  body.member("cache_prompt", true);
  if (context.slot) body.member("id_slot", *context.slot);
}

/// What servers know beyond OpenAI's fields; the defaults of vLLM and SGLang may come from the model's files.
void write_neutral_extras(BodyWriter& body, const WireContext& context) {
  if (!needs_neutral(context.kind)) return;
  body.member("presence_penalty", 0).member("frequency_penalty", 0);
  if (context.kind == ServerKind::llama_server) return write_llama_neutral(body, context);
  body.member("top_k", -1).member("min_p", 0).member("repetition_penalty", 1);
}

/// The fields that OpenAI's two routes share. What is neutral everywhere is not sent: services refuse what they do not
/// know.
void write_common(BodyWriter& body, const WireContext& context, const CompletionRequest& request,
                  std::string_view max_tokens_field) {
  body.member("model", std::string_view(context.model));
  body.member(max_tokens_field, request.sampling.max_tokens);
  body.member("temperature", sent_temperature(context, request));
  if (request.sampling.top_p != 1 || needs_neutral(context.kind)) body.member("top_p", request.sampling.top_p);
  body.member("seed", wire_seed(request));
  write_stops(body, context, request.stop);
  write_neutral_extras(body, context);
  write_choices(body, context, request.choices);
}

class Completions final : public DialectStrategy {
 public:
  [[nodiscard]] bool prompt_arrays() const noexcept override { return true; }
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.text() + "/completions"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    BodyWriter fields(body, context.shape);
    if (JsonWriter* json = fields.field("prompt")) {
      if (requests.size() > 1) json->open('[');
      for (const CompletionRequest* request : requests) json->joined(request->prefix.text, request->query);
      if (requests.size() > 1) json->close(']');
    }
    write_common(fields, context, *requests.front(), "max_tokens");
    if (requests.front()->want_logprobs) fields.member("logprobs", 1);
    fields.close();
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
    BodyWriter fields(body, context.shape);
    if (JsonWriter* json = fields.field("messages")) {
      json->open('[');
      if (!context.options.system_message.empty()) {
        json->open('{').member("role", "system");
        json->member("content", std::string_view(context.options.system_message)).close('}');
      }
      json->open('{').member("role", "user").key("content").joined(request.prefix.text, request.query).close('}');
      json->close(']');
    }
    write_common(fields, context, request, context.options.chat_max_tokens_field);
    if (request.want_logprobs) fields.member("logprobs", true);
    fields.close();
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
    BodyWriter fields(body, context.shape);
    if (JsonWriter* json = fields.field("prompt")) json->joined(request.prefix.text, request.query);
    fields.member("n_predict", request.sampling.max_tokens).member("stream", false);
    fields.member("temperature", sent_temperature(context, request)).member("top_p", request.sampling.top_p);
    fields.member("presence_penalty", 0).member("frequency_penalty", 0).member("seed", wire_seed(request));
    write_stops(fields, context, request.stop);
    write_llama_neutral(fields, context);
    if (!request.choices.empty()) fields.member("grammar", std::string_view(choice_grammar(request.choices)));
    if (request.want_logprobs) fields.member("n_probs", 1);
    fields.close();
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
