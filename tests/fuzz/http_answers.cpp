// SPDX-License-Identifier: MIT
// Any bytes as a server's answer, in every dialect: an unreadable one, or one that honours the request.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "adaptation.hpp"
#include "dialect.hpp"
#include "durations.hpp"
#include "event_stream.hpp"
#include "fuzz.hpp"
#include "json_text.hpp"
#include "reading.hpp"
#include "server_words.hpp"

namespace {

using namespace icpi;
using http::Reading;

void require_sound(const CompletionRequest& request, const Reading& reading) {
  if (reading.outcome != Reading::Outcome::answer) {
    fuzz::require(!reading.problem.empty(), "what cannot be used says why");
    return;
  }
  const Completion& completion = reading.completion;
  fuzz::require(!completion.error && completion.finish != FinishReason::error, "an answer is no error");
  for (const std::string_view stop : request.stop)
    fuzz::require(completion.text.find(stop) == std::string::npos, "an answer ends before its stop string");
  const bool chosen =
      std::find(request.choices.begin(), request.choices.end(), completion.text) != request.choices.end();
  fuzz::require(reading.off_choices == (!request.choices.empty() && !chosen), "what is none of the choices is told");
  fuzz::require(completion.usage.cached_tokens <= completion.usage.prompt_tokens, "no more is cached than asked");
  fuzz::require(request.want_logprobs || completion.tokens.empty(), "no tokens unless wanted");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const unsigned flags = input.byte();
  const std::string body(input.rest());
  constexpr std::array<std::string_view, 2> stop{"\n", "assert"};
  constexpr std::array<std::string_view, 2> choices{"left", "right"};
  std::array<CompletionRequest, 3> requests;
  std::vector<const CompletionRequest*> asked;
  for (auto& request : requests) {
    request.query = "x";
    if ((flags & 1U) != 0) request.stop = stop;
    if ((flags & 2U) != 0) request.choices = choices;
    request.want_logprobs = (flags & 4U) != 0;
    asked.push_back(&request);
  }
  const nlohmann::json answer = http::is_event_stream(body) ? http::join_event_stream(body) : http::parse_answer(body);
  for (const auto dialect : {http::Dialect::completions, http::Dialect::chat, http::Dialect::llama_native,
                             http::Dialect::anthropic, http::Dialect::responses}) {
    const auto& strategy = http::strategy(dialect);
    const auto some = std::span(asked).first(strategy.prompt_arrays() ? asked.size() : 1);
    std::vector<Reading> readings(some.size());
    if (!answer.is_discarded()) {
      strategy.read(answer, some, readings);
      for (std::size_t i = 0; i < some.size(); ++i) require_sound(*some[i], readings[i]);
    }
  }
  for (const long status : {400L, 401L, 404L, 413L, 429L, 500L, 503L}) {
    const auto failure = http::judge_status(status, body, {"sk-secret"});
    fuzz::require(static_cast<bool>(failure.error), "a bad status is an error");
    fuzz::require(!http::find_invalid_utf8(failure.error.message) && failure.error.message.size() < 400,
                  "messages are short and UTF-8");
    fuzz::require(failure.error.message.find('\n') == std::string::npos, "messages are one line");
  }
  const auto refusal =
      http::find_refusal(http::read_server_words(answer, body), R"({"seed":1,"max_tokens":2,"temperature":0})", {}, {});
  fuzz::require(!refusal || !refusal->field.empty(), "a refusal names a field");
  for (const auto& wait : {http::parse_wait(body), http::parse_reset(body)})
    fuzz::require(!wait || *wait > 0, "waits are later than now");
  return 0;
}
