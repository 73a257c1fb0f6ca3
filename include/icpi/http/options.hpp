// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/http/request.hpp"

namespace icpi::http {

/// How a server is spoken to.
enum class Dialect : std::uint8_t {
  completions,   ///< OpenAI's text completions: POST base_url/completions
  chat,          ///< OpenAI's chat completions: POST base_url/chat/completions; for models without the former
  llama_native,  ///< llama-server's own route: POST /completion
  anthropic,     ///< Anthropic's messages: POST base_url/messages
  responses      ///< OpenAI's responses: POST base_url/responses; for models that chat cannot reach
};

/// How the dialects that know messages (chat, anthropic, responses) lay a prompt out.
enum class ChatStyle : std::uint8_t {
  continuation,  ///< all of it is one user message, which the model is told to go on with
  turns          ///< every example that the request marks is a user message and the assistant's reply to it
};

/// How a server is told that an answer must be one of given texts.
enum class ChoiceForm : std::uint8_t {
  automatic,           ///< as the dialect and the software that answers have it
  none,                ///< it cannot be told
  json_schema,         ///< {"answer": one of an enumeration}: response_format, output_config or text.format
  json_object,         ///< the same without a schema, so that the prompt says it; chat
  tool,                ///< the argument of the one tool, which must be called; chat, anthropic
  structured_outputs,  ///< {"structured_outputs": {"choice": [...]}}, vLLM
  guided_choice,       ///< {"guided_choice": [...]}, older versions of vLLM
  regex,               ///< {"regex": "(a|b)"}, SGLang
  response_regex,      ///< {"response_format": {"type": "regex", "value": "(a|b)"}}, text-generation-inference; chat
  grammar              ///< {"grammar": "root ::= ..."}, llama-server
};

/// Which program answers: it decides the fields beyond OpenAI's (neutral samplers, constraints, slots).
enum class ServerKind : std::uint8_t {
  automatic,     ///< found out by the probe; `generic` when it does not tell or there is no probe
  generic,       ///< nothing but OpenAI's own fields
  llama_server,  ///< llama.cpp
  vllm,
  sglang
};

/// The field of vLLM that restricts an answer to given texts.
enum class VllmChoiceField : std::uint8_t {
  structured_outputs,  ///< {"structured_outputs": {"choice": [...]}}, newer versions
  guided_choice        ///< {"guided_choice": [...]}, older versions
};

constexpr std::string_view name(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::completions: return "completions";
    case Dialect::chat: return "chat";
    case Dialect::llama_native: return "llama_native";
    case Dialect::anthropic: return "anthropic";
    case Dialect::responses: return "responses";
  }
  return "unknown";
}

constexpr std::string_view name(ChatStyle style) noexcept {
  return style == ChatStyle::turns ? "turns" : "continuation";
}

constexpr std::string_view name(ChoiceForm form) noexcept {
  switch (form) {
    case ChoiceForm::automatic: return "automatic";
    case ChoiceForm::none: return "none";
    case ChoiceForm::json_schema: return "json_schema";
    case ChoiceForm::json_object: return "json_object";
    case ChoiceForm::tool: return "tool";
    case ChoiceForm::structured_outputs: return "structured_outputs";
    case ChoiceForm::guided_choice: return "guided_choice";
    case ChoiceForm::regex: return "regex";
    case ChoiceForm::response_regex: return "response_regex";
    case ChoiceForm::grammar: return "grammar";
  }
  return "unknown";
}

constexpr std::string_view name(ServerKind kind) noexcept {
  switch (kind) {
    case ServerKind::automatic: return "automatic";
    case ServerKind::generic: return "generic";
    case ServerKind::llama_server: return "llama-server";
    case ServerKind::vllm: return "vllm";
    case ServerKind::sglang: return "sglang";
  }
  return "unknown";
}

/// The system message of the style `continuation`; the prompt is the one user message after it.
inline constexpr std::string_view default_system_message =
    "The user message is a text that breaks off in the middle of a record. Reply with nothing but its continuation, "
    "in exactly the form of the records before it. Do not comment, explain, greet, quote or repeat the text.";

/// The system message of the style `turns`.
inline constexpr std::string_view default_instruction = turns_instruction;

/// What happens after a failure that may pass.
struct Retries {
  /// Requests sent for one completion that may fail after the server took them on: lost connections, cut or unreadable
  /// answers, attempts that ran out of time, statuses 408, 409 and 5xx other than 503. > 0.
  int attempts = 8;
  /// How long one completion is held back by a server that does not take requests on (no connection, 429, 503).
  std::chrono::milliseconds patience{600'000};
  std::chrono::milliseconds first_backoff{500};       ///< doubles with every failure; half of it is random
  std::chrono::milliseconds longest_backoff{30'000};  ///< no wait is longer
};

/// Everything an HttpLanguageModel needs. The defaults suit a llama-server on this machine.
struct Options {
  /// One or several servers of the same model: "https://host/v1", "http://host:port" or "host:port" (then "/v1" is
  /// added). No credentials and no query in it.
  std::vector<std::string> base_urls{"http://127.0.0.1:8080/v1"};
  /// A file that lists the servers in place of base_urls, one a line, '#' before remarks. It may change while the model
  /// works, which takes effect within three seconds: servers that are listed get requests, those that are not get no
  /// more. Replace it as a whole (write another file, rename it). Empty: base_urls.
  std::string endpoints_file;
  std::string model;        ///< as the server calls it; empty: the only one it lists
  std::string api_key_env;  ///< name of the environment variable that holds the key, never the key; empty: no key
  Dialect dialect = Dialect::completions;     ///< how the servers are spoken to
  ServerKind server = ServerKind::automatic;  ///< which software answers
  /// Says which answers are interchangeable (cache keys, records). Empty: made of dialect, model and base_urls, or the
  /// name of endpoints_file.
  std::string identity;
  /// Stand for base_urls in the identity: where servers that moved used to be.
  std::vector<std::string> moved_from;

  std::size_t concurrency = 32;      ///< requests in flight per server, at most; > 0
  bool adaptive_concurrency = true;  ///< start lower, grow while throughput does, halve on 429
  double requests_per_minute = 0;    ///< over all servers; at least 0.001; 0: no limit
  /// Over all servers, as services count them: the prompts' tokens, estimated, and the limits of the answers; 0: no limit,
  /// else at least 1. What servers tell of their own limits in their headers is kept in any case.
  double tokens_per_minute = 0;
  /// Prompts put into one request where the dialect takes several (completions) and everything but the prompt agrees,
  /// the seed too unless the temperature is 0. > 0.
  std::size_t prompts_per_request = 1;
  /// Whether the servers give log-probabilities, as strategies may ask for that can do without: see GivesLogprobs. Many services
  /// refuse to; the dialects anthropic and responses have none.
  bool logprobs = false;
  bool warm_prefixes = true;  ///< the first request with a new prefix goes alone, so that the prefix is computed once
  bool pin_slots = true;      ///< llama-server: prefixes of one identity always use the same slot

  Retries retries;                                     ///< what is tried again
  std::chrono::milliseconds attempt_timeout{120'000};  ///< for one attempt, from sending to the last byte
  std::chrono::milliseconds connect_timeout{10'000};   ///< for one connection
  std::size_t max_response_bytes = 8U << 20U;          ///< longer answers are cut off and fail
  std::string ca_file;  ///< PEM certificates trusted instead of the system's; empty: the system's

  RequestShape request;  ///< what is sent otherwise than usual
  /// What servers refused, shared by the models that are made with it; nullptr: every model finds out by itself.
  std::shared_ptr<LearnedRequest> learned;

  ChatStyle chat_style = ChatStyle::continuation;      ///< dialects that know messages
  std::string system_message{default_system_message};  ///< of the style `continuation`; empty: none
  std::string instruction{default_instruction};        ///< system message of the style `turns`; empty: none
  /// Tokens that the model may think before it answers; they come on top of max_tokens. 0: thinking is switched off.
  /// Not set: as the service likes, within max_tokens. The dialect anthropic takes 0 or at least 1024, unless `effort` is set.
  std::optional<int> thinking_tokens;
  std::string effort;  ///< how hard to think, in the service's word, as "low"; empty: not said
  ChoiceForm choice_form = ChoiceForm::automatic;  ///< how CompletionRequest::choices is sent
  /// Whether choices leave the model free to think first. Where they do not, it is told not to think when it is given
  /// choices; with `thinking_tokens` above 0 it takes none.
  bool choices_after_thought = true;
  /// anthropic: mark the ends of prefixes with an identity, so that the service keeps them.
  bool mark_prefixes = true;
  std::string chat_max_tokens_field{"max_tokens"};  ///< "max_completion_tokens" for services that ask for it
  /// Whether stop strings are sent, so that the server ends the answer; it is cut before the first one anyway. Never sent
  /// in the chat dialect, where the answer may begin with a newline.
  bool send_stop = true;
  VllmChoiceField vllm_choice_field = VllmChoiceField::structured_outputs;  ///< where vLLM expects choices

  /// Refuse answers that come without a count of their tokens: for budgets of tokens or money, which nothing could keep.
  bool require_usage = false;
  /// Asked before a question is sent once more whose last attempts cost tokens and came to nothing: `cost`, since it was
  /// asked before. False: the question ends as `budget_exhausted`. What it was told of is in Completion::booked.
  std::function<bool(const CompletionRequest& request, const Usage& cost)> ask_again;
  /// Ask every server at construction who it is. Off: the first request finds out whether it is there.
  bool probe = true;
  /// Told, in one line without the key, when servers go away, come back, ask to wait, or answer nothing but errors, and
  /// when endpoints_file adds or drops one.
  std::function<void(std::string_view)> notice;
  /// Told why and for how many seconds more nothing can be sent, every time somebody looks (at least every 100 ms where
  /// `interrupted` is set), when that is longer than a second; in the end once with nothing and 0.
  std::function<void(std::string_view reason, double seconds)> waiting;
  /// Polled at least every 100 ms while waiting; once true, whatever is unfinished ends as `cancelled`.
  std::function<bool()> interrupted;
};

/// The defaults, with base_urls from OPENAI_BASE_URL (one URL, or several with commas), api_key_env naming
/// OPENAI_API_KEY, and ca_file from CURL_CA_BUNDLE or SSL_CERT_FILE, where these variables are set. The key itself stays
/// in the environment.
[[nodiscard]] Options from_environment();

/// Throws InvalidArgument that names the field and what is wrong with it.
void validate(const Options& options);

}  // namespace icpi::http
