// SPDX-License-Identifier: MIT
// Anthropic's messages.
#include "choices.hpp"
#include "conversation.hpp"
#include "dialects.hpp"
#include "fields.hpp"
#include "reading.hpp"

namespace icpi::http {

namespace {

/// A block of text; `kept`: what ends with it may be wanted again.
void write_block(JsonWriter& json, const PromptSlice& text, bool kept) {
  json.open('{').member("type", "text").key("text").joined(text.first, text.second);
  if (kept) json.key("cache_control").open('{').member("type", "ephemeral").close('}');
  json.close('}');
}

void write_message(JsonWriter& json, std::string_view role, const PromptSlice& text, bool kept) {
  json.open('{').member("role", role).key("content");
  if (kept) {
    json.open('[');
    write_block(json, text, true);
    json.close(']');
  } else {
    json.joined(text.first, text.second);
  }
  json.close('}');
}

void write_turns(JsonWriter& json, const CompletionRequest& request, bool keeps) {
  const Conversation conversation = conversation_of(request);
  const std::size_t in_prefix = examples_in_prefix(conversation);
  for (std::size_t i = 0; i < conversation.examples.size(); ++i) {
    write_message(json, "user", conversation.examples[i].question, false);
    write_message(json, "assistant", conversation.examples[i].answer, keeps && is_kept_place(i + 1, in_prefix));
  }
  write_message(json, "user", conversation.question, false);
}

void write_continuation(JsonWriter& json, const CompletionRequest& request, bool keeps) {
  const std::vector<Block> blocks = keeps ? blocks_of(request) : std::vector<Block>();
  if (blocks.size() < 2) return write_message(json, "user", {request.prefix.text, request.query}, false);
  json.open('{').member("role", "user").key("content").open('[');
  for (const Block& each : blocks) write_block(json, each.text, each.kept);
  json.close(']').close('}');
}

void write_system(BodyWriter& fields, std::string_view system, bool keeps) {
  JsonWriter* json = system.empty() ? nullptr : fields.field("system");
  if (json == nullptr) return;
  json->open('[');
  write_block(*json, {system, {}}, keeps);
  json->close(']');
}

void write_thinking(BodyWriter& fields, const Options& options) {
  const bool off = options.thinking_tokens == 0;
  if (!off && !bounds_thought(options)) return;
  JsonWriter* json = fields.field("thinking");
  if (json == nullptr) return;
  json->open('{').member("type", off ? "disabled" : "enabled");
  if (!off) json->member("budget_tokens", *options.thinking_tokens);
  json->close('}');
}

void write_answer_tool(BodyWriter& fields, std::span<const std::string_view> choices) {
  if (JsonWriter* json = fields.field("tools")) {
    json->open('[').open('{').member("name", choice_name).key("input_schema");
    write_choice_schema(*json, choices);
    json->close('}').close(']');
  }
  if (JsonWriter* json = fields.field("tool_choice"))
    json->open('{').member("type", "tool").member("name", choice_name).close('}');
}

void write_output(BodyWriter& fields, const WireContext& context, std::span<const std::string_view> choices) {
  const bool effort = !context.options.effort.empty();
  const ChoiceForm form = choice_form(context.options, context.kind);
  if (!choices.empty() && form == ChoiceForm::tool) write_answer_tool(fields, choices);
  const bool schema = !choices.empty() && form == ChoiceForm::json_schema;
  JsonWriter* json = effort || schema ? fields.field("output_config") : nullptr;
  if (json == nullptr) return;
  json->open('{');
  if (effort) json->member("effort", std::string_view(context.options.effort));
  if (schema) {
    json->key("format").open('{').member("type", "json_schema").key("schema");
    write_choice_schema(*json, choices);
    json->close('}');
  }
  json->close('}');
}

class Anthropic final : public DialectStrategy {
 public:
  [[nodiscard]] bool logprobs() const noexcept override { return false; }
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.text() + "/messages"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    const CompletionRequest& request = *requests.front();
    const Options& options = context.options;
    const bool keeps = options.mark_prefixes && request.prefix.identity != 0;
    BodyWriter fields(body, context.shape);
    fields.member("model", std::string_view(context.model));
    write_set(fields, "max_tokens", sent_max_tokens(options, request));
    write_system(fields, system_text(options), keeps);
    if (JsonWriter* json = fields.field("messages")) {
      json->open('[');
      if (options.chat_style == ChatStyle::turns) {
        write_turns(*json, request, keeps);
      } else {
        write_continuation(*json, request, keeps);
      }
      json->close(']');
    }
    if (!bounds_thought(options)) {
      write_set(fields, "temperature", sent_temperature(context, request));
      write_top_p(fields, request);
    }
    // A choice is wrapped in JSON, where a stop string may be a part of it.
    if (request.choices.empty()) write_stops(fields, "stop_sequences", sent_stops(context, request.stop));
    write_thinking(fields, options);
    write_output(fields, context, request.choices);
    fields.close();
  }
  void read(const nlohmann::json& answer, std::span<const CompletionRequest* const> requests,
            std::span<Reading> readings) const override {
    read_anthropic(answer, *requests.front(), readings.front());
  }
};

}  // namespace

const DialectStrategy& anthropic_dialect() noexcept {
  static const Anthropic dialect;
  return dialect;
}

}  // namespace icpi::http
