// SPDX-License-Identifier: MIT
// Text completions: OpenAI's route, and llama-server's own.
#include "choices.hpp"
#include "dialects.hpp"
#include "fields.hpp"
#include "reading.hpp"

namespace icpi::http {

namespace {

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

class LlamaNative final : public DialectStrategy {
 public:
  [[nodiscard]] std::string url(const BaseUrl& base) const override { return base.root() + "/completion"; }
  void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
             std::string& body) const override {
    const CompletionRequest& request = *requests.front();
    BodyWriter fields(body, context.shape);
    if (JsonWriter* json = fields.field("prompt")) json->joined(request.prefix.text, request.query);
    write_set(fields, "n_predict", request.sampling.max_tokens);
    fields.member("stream", false);
    write_set(fields, "temperature", sent_temperature(context, request));
    write_set(fields, "top_p", request.sampling.top_p);
    fields.member("presence_penalty", 0).member("frequency_penalty", 0);
    write_set(fields, "seed", wire_seed(request));
    write_stops(fields, "stop", sent_stops(context, request.stop));
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

}  // namespace

const DialectStrategy& completions_dialect() noexcept {
  static const Completions dialect;
  return dialect;
}

const DialectStrategy& llama_native_dialect() noexcept {
  static const LlamaNative dialect;
  return dialect;
}

}  // namespace icpi::http
