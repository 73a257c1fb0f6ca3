// SPDX-License-Identifier: MIT
// OpenAI's responses: input, output and usage by other names than in chat; no stop strings, no seed.
#include "choices.hpp"
#include "conversation.hpp"
#include "dialects.hpp"
#include "fields.hpp"
#include "reading.hpp"

namespace icpi::http {

namespace {

void write_effort(BodyWriter& fields, const Options& options) {
  const std::string_view effort = options.thinking_tokens == 0 ? std::string_view("none") : options.effort;
  JsonWriter* json = effort.empty() ? nullptr : fields.field("reasoning");
  if (json != nullptr) json->open('{').member("effort", effort).close('}');
}

void write_format(BodyWriter& fields, std::span<const std::string_view> choices) {
  JsonWriter* json = choices.empty() ? nullptr : fields.field("text");
  if (json == nullptr) return;
  json->open('{').key("format").open('{').member("type", "json_schema").member("name", choice_name);
  json->member("strict", true).key("schema");
  write_choice_schema(*json, choices);
  json->close('}').close('}');
}

class Responses final : public DialectStrategy {
 public:
  [[nodiscard]] bool logprobs() const noexcept override { return false; }
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.text() + "/responses"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    const CompletionRequest& request = *requests.front();
    BodyWriter fields(body, context.shape);
    fields.member("model", std::string_view(context.model));
    if (const std::string_view system = system_text(context.options); !system.empty())
      fields.member("instructions", system);
    if (JsonWriter* json = fields.field("input")) {
      json->open('[');
      write_messages(*json, context.options, request, {});
      json->close(']');
    }
    write_set(fields, "max_output_tokens", sent_max_tokens(context.options, request));
    write_set(fields, "temperature", sent_temperature(context, request));
    write_top_p(fields, request);
    write_prompt_cache(fields, context.options, request);
    write_effort(fields, context.options);
    write_format(fields, request.choices);
    fields.close();
  }
  void read(const nlohmann::json& answer, std::span<const CompletionRequest* const> requests,
            std::span<Reading> readings) const override {
    read_response(answer, *requests.front(), readings.front());
  }
};

}  // namespace

const DialectStrategy& responses_dialect() noexcept {
  static const Responses dialect;
  return dialect;
}

}  // namespace icpi::http
