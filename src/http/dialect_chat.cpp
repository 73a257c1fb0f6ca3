// SPDX-License-Identifier: MIT
// OpenAI's chat completions.
#include <vector>

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

/// A part of a message's content; `kept`: what ends with it may be wanted again.
void write_part(JsonWriter& json, const PromptSlice& text, std::string_view more, bool kept) {
  json.open('{').member("type", "text").key("text").joined(text.first, text.second, more);
  if (kept) json.key("prompt_cache_breakpoint").open('{').member("mode", "explicit").close('}');
  json.close('}');
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
    write_prompt_cache(fields, context.options, request);
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
  const bool marks = options.request.prompt_cache == PromptCache::breakpoints && request.prefix.identity != 0;
  const auto write = [&json](std::string_view role, const PromptSlice& text, std::string_view more, bool kept = false) {
    json.open('{').member("role", role).key("content");
    if (kept) {
      json.open('[');
      write_part(json, text, more, true);
      json.close(']');
    } else {
      json.joined(text.first, text.second, more);
    }
    json.close('}');
  };
  if (options.chat_style == ChatStyle::continuation) {
    const std::vector<Block> blocks = marks ? blocks_of(request) : std::vector<Block>();
    if (blocks.size() < 2) return write("user", {request.prefix.text, request.query}, words_after);
    json.open('{').member("role", "user").key("content").open('[');
    for (const Block& each : blocks)
      write_part(json, each.text, &each == &blocks.back() ? words_after : std::string_view(), each.kept);
    json.close(']').close('}');
    return;
  }
  const Conversation conversation = conversation_of(request);
  const std::size_t in_prefix = examples_in_prefix(conversation);
  for (std::size_t i = 0; i < conversation.examples.size(); ++i) {
    write("user", conversation.examples[i].question, {});
    write("assistant", conversation.examples[i].answer, {}, marks && is_kept_place(i + 1, in_prefix));
  }
  write("user", conversation.question, words_after);
}

const DialectStrategy& chat_dialect() noexcept {
  static const Chat dialect;
  return dialect;
}

}  // namespace icpi::http
