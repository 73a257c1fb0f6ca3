// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/http/language_model.hpp"
#include "interrupt.hpp"
#include "model_sources.hpp"
#include "parse.hpp"
#include "printable.hpp"

namespace icpi::program {

namespace {

http::Dialect parse_dialect(std::string_view text) {
  for (const auto dialect : std::array{http::Dialect::completions, http::Dialect::chat, http::Dialect::llama_native}) {
    if (text == http::name(dialect)) return dialect;
  }
  throw InvalidArgument(
      fmt::format("--dialect '{}' is not allowed; choose one of completions, chat, llama_native", text));
}

http::ServerKind parse_server(std::string_view text) {
  using enum http::ServerKind;
  for (const auto kind : std::array{automatic, generic, llama_server, vllm, sglang}) {
    if (text == http::name(kind)) return kind;
  }
  throw InvalidArgument(
      fmt::format("--server '{}' is not allowed; choose one of automatic, generic, llama-server, vllm, sglang", text));
}

http::Options http_options(const ModelChoice& choice) {
  http::Options options = http::from_environment();
  if (!choice.http.base_urls.empty()) options.base_urls = choice.http.base_urls;
  options.moved_from = choice.http.moved_from;
  options.model = choice.http.model_name;
  options.dialect = parse_dialect(choice.http.dialect);
  options.server = parse_server(choice.http.server);
  options.concurrency = parse_count("--concurrency", choice.http.concurrency, 1, 4096);
  if (!parse_number(choice.http.requests_per_minute, options.requests_per_minute) || options.requests_per_minute < 0)
    throw InvalidArgument(fmt::format("--requests-per-minute '{}' is not allowed; expected a number, 0 or more",
                                      choice.http.requests_per_minute));
  if (choice.http.api_key_env) options.api_key_env = *choice.http.api_key_env;
  // The value may be the key itself, by mistake: it is not repeated.
  if (!options.api_key_env.empty() && std::getenv(options.api_key_env.c_str()) == nullptr)
    throw InvalidArgument("--api-key-env must name an environment variable that is set; it is not the key");
  if (choice.require_cache) {
    if (options.model.empty())
      throw InvalidArgument("--require-cache needs --model-name: no server is there to tell which model was asked");
    options.probe = false;
    // Nothing is sent; requests must be made as for the servers that answered them, choices included.
    if (options.server == http::ServerKind::automatic) options.server = http::ServerKind::llama_server;
  }
  options.require_usage = !choice.budget.tokens.empty() || !choice.budget.cost.empty();
  options.notice = [](std::string_view text) { tell(text); };
  options.interrupted = [] { return interrupting_signal() != 0; };
  http::validate(options);
  return options;
}

}  // namespace

ModelSource http_source() {
  ModelSource source{"http",
                     "a model behind OpenAI-compatible servers: --base-url, --model-name, key in OPENAI_API_KEY", true,
                     nullptr};
  source.factory = [](const ModelChoice& choice, const DomainProgram&, bool) -> ModelFactory {
    return [options = http_options(choice)] {
      http::HttpLanguageModel model(options);
      const bool choices = model.capabilities().choices;
      return choices ? AnyLanguageModel(http::ChoiceConstrainedHttpModel(std::move(model)))
                     : AnyLanguageModel(std::move(model));
    };
  };
  source.describe = [](const ModelChoice& choice) {
    return http::describe(http::HttpLanguageModel(http_options(choice)).capabilities());
  };
  return source;
}

}  // namespace icpi::program
