// SPDX-License-Identifier: MIT
// OpenAI's chat completions.
#include "choices.hpp"
#include "conversation.hpp"
#include "dialects.hpp"
#include "fields.hpp"
#include "reading.hpp"

namespace icpi::http {

namespace {

/// What the last message says beyond the question.
std::string words_after(const WireContext& context, const CompletionRequest& request) {
  const bool told = !request.choices.empty() && choice_form(context.options, context.kind) == ChoiceForm::json_object;
  return told ? choice_request(request.choices) : std::string();
}

void write_thinking(BodyWriter& fields, const WireContext& context, const CompletionRequest& request) {
  const Options& options = context.options;
  const bool off = options.thinking_tokens == 0 ||
                   (!options.thinking_tokens && !request.choices.empty() && !options.choices_after_thought);
  if (off) return fields.add(context.shape.thinking_off);
  if (!options.effort.empty()) fields.member("reasoning_effort", std::string_view(options.effort));
}

class Chat final : public DialectStrategy {
 public:
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.text() + "/chat/completions"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    const CompletionRequest& request = *requests.front();
    BodyWriter fields(body, context.shape);
    if (JsonWriter* json = fields.field("messages")) {
      json->open('[');
      if (const std::string_view system = system_text(context.options); !system.empty())
        json->open('{').member("role", "system").member("content", system).close('}');
      write_messages(*json, context.options, request, words_after(context, request));
      json->close(']');
    }
    write_common(fields, context, request, context.options.chat_max_tokens_field);
    write_thinking(fields, context, request);
    if (request.want_logprobs) fields.member("logprobs", true);
    fields.close();
  }
  void read(const nlohmann::json& answer, std::span<const CompletionRequest* const> requests,
            std::span<Reading> readings) const override {
    read_choices(answer, ChoiceShape::message, requests, readings);
  }
};

}  // namespace

void write_messages(JsonWriter& json, const Options& options, const CompletionRequest& request,
                    std::string_view words_after) {
  const auto write = [&json](std::string_view role, const PromptSlice& text, std::string_view more) {
    json.open('{').member("role", role).key("content").joined(text.first, text.second, more).close('}');
  };
  if (options.chat_style == ChatStyle::continuation)
    return write("user", {request.prefix.text, request.query}, words_after);
  const Conversation conversation = conversation_of(request);
  for (const Conversation::Exchange& each : conversation.examples) {
    write("user", each.question, {});
    write("assistant", each.answer, {});
  }
  write("user", conversation.question, words_after);
}

const DialectStrategy& chat_dialect() noexcept {
  static const Chat dialect;
  return dialect;
}

}  // namespace icpi::http
