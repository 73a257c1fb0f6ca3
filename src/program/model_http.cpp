// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch_service.hpp"
#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/http/batch.hpp"
#include "icpi/http/language_model.hpp"
#include "icpi/http/service.hpp"
#include "interrupt.hpp"
#include "model_sources.hpp"
#include "parse.hpp"
#include "printable.hpp"
#include "progress.hpp"

namespace icpi::program {

namespace {

constexpr std::array dialects{http::Dialect::completions, http::Dialect::chat, http::Dialect::llama_native,
                              http::Dialect::anthropic, http::Dialect::responses};
constexpr std::array servers{http::ServerKind::automatic, http::ServerKind::generic, http::ServerKind::llama_server,
                             http::ServerKind::vllm, http::ServerKind::sglang};
constexpr std::array styles{http::ChatStyle::continuation, http::ChatStyle::turns};
constexpr std::array caches{http::PromptCache::none, http::PromptCache::key, http::PromptCache::breakpoints};
constexpr std::array forms{http::ChoiceForm::automatic,      http::ChoiceForm::none,
                           http::ChoiceForm::json_schema,    http::ChoiceForm::json_object,
                           http::ChoiceForm::tool,           http::ChoiceForm::structured_outputs,
                           http::ChoiceForm::guided_choice,  http::ChoiceForm::regex,
                           http::ChoiceForm::response_regex, http::ChoiceForm::grammar};

double parse_rate(std::string_view option, const std::string& text) {
  double rate = 0;
  if (!parse_number(text, rate) || rate < 0)
    throw InvalidArgument(fmt::format("{} '{}' is not allowed; expected a number, 0 or more", option, text));
  return rate;
}

/// "left=right". Throws InvalidArgument naming the option.
std::pair<std::string, std::string> parse_pair(std::string_view option, const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string::npos || sign == 0)  // what it holds may be a secret: it is not repeated
    throw InvalidArgument(fmt::format("{} is not allowed without a name and '='", option));
  return {text.substr(0, sign), text.substr(sign + 1)};
}

std::vector<http::RequestSetting> parse_settings(std::string_view option, const std::vector<std::string>& texts) {
  constexpr std::string_view from_environment = "env:";
  constexpr std::string_view from_file = "file:";
  std::vector<http::RequestSetting> settings;
  for (const std::string& text : texts) {
    auto [name, value] = parse_pair(option, text);
    http::RequestSetting& setting = settings.emplace_back();
    setting.name = std::move(name);
    if (value.starts_with(from_environment)) {
      setting.env = value.substr(from_environment.size());
    } else if (value.starts_with(from_file)) {
      setting.file = value.substr(from_file.size());
    } else {
      setting.value = std::move(value);
    }
  }
  return settings;
}

/// What the command line says, on top of what the service needs.
http::RequestShape parse_request(const HttpChoice& choice, http::RequestShape request) {
  request.omit.insert(request.omit.end(), choice.omit.begin(), choice.omit.end());
  for (const std::string& text : choice.rename) request.rename.push_back(parse_pair("--rename", text));
  if (!choice.extra.empty()) request.extra = choice.extra;
  request.headers = parse_settings("--header", choice.headers);
  request.query = parse_settings("--query", choice.query);
  request.prompt_cache = parse_name("--prompt-cache", choice.prompt_cache, caches, request.prompt_cache);
  if (!choice.api_key_header.empty()) request.api_key_header = choice.api_key_header;
  return request;
}

/// What is learned of these servers counts for all models of a command.
std::shared_ptr<http::LearnedRequest> learned_of(const http::Options& options) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<http::LearnedRequest>> known;
  const std::lock_guard lock(mutex);
  auto& learned = known[fmt::format("{} {} {} {}", http::name(options.dialect), options.model, options.endpoints_file,
                                    fmt::join(options.base_urls, ","))];
  if (!learned) learned = http::new_learned_request();
  return learned;
}

/// Tells the ledger in the end how answers looked.
class CountedAnswers : public http::HttpLanguageModel {
 public:
  CountedAnswers(const http::Options& options, std::shared_ptr<ModelLedger> ledger)
      : HttpLanguageModel(options), ledger_(std::move(ledger)) {}
  CountedAnswers(const CountedAnswers&) = delete;
  CountedAnswers& operator=(const CountedAnswers&) = delete;
  ~CountedAnswers() {
    if (!ledger_) return;
    const http::Statistics seen = this->statistics();
    ledger_->add_answers({seen.cleaned_answers, seen.answers_with_thoughts, seen.unusable_answers, seen.ignored_choices,
                          seen.answers_without_usage});
  }

 private:
  std::shared_ptr<ModelLedger> ledger_;
};

/// The environment's defaults, or those of the service that was named: another service's key is not for it.
http::Options defaults_of(const HttpChoice& choice) {
  http::Options options = http::from_environment();
  if (choice.service.empty()) return options;
  options = http::for_service(http::find_service(choice.service), std::move(options));
  const std::string& variable = options.api_key_env;
  if (variable.empty() || choice.api_key_env || std::getenv(variable.c_str()) != nullptr) return options;
  if (choice.base_urls.empty() && choice.endpoints_file.empty())
    throw InvalidArgument(
        fmt::format("--service {} needs its key in {}, or --api-key-env NAME", choice.service, variable));
  options.api_key_env.clear();
  return options;
}

/// Throws InvalidArgument naming an option about messages where none are sent: it would do nothing.
void check_messages(const HttpChoice& choice, const http::Options& options) {
  if (options.dialect != http::Dialect::completions && options.dialect != http::Dialect::llama_native) return;
  const std::array<std::pair<std::string_view, bool>, 4> said{{{"--chat-style", choice.chat_style == "turns"},
                                                               {"--instruction", choice.instruction.has_value()},
                                                               {"--effort", !choice.effort.empty()},
                                                               {"--thinking-tokens", !choice.thinking_tokens.empty()}}};
  for (const auto& [option, given] : said)
    if (given)
      throw InvalidArgument(fmt::format("{} needs a dialect with messages, as --dialect chat: {} sends the text alone",
                                        option, http::name(options.dialect)));
}

/// How messages, thoughts and choices are asked for.
void set_messages(const HttpChoice& choice, http::Options& options) {
  check_messages(choice, options);
  options.chat_style = parse_name("--chat-style", choice.chat_style, styles, options.chat_style);
  if (choice.instruction) {
    const bool turns = options.chat_style == http::ChatStyle::turns;
    (turns ? options.instruction : options.system_message) = *choice.instruction;
  }
  options.choice_form = parse_name("--choices", choice.choices, forms, options.choice_form);
  if (!choice.thinking_tokens.empty())
    options.thinking_tokens = static_cast<int>(parse_count("--thinking-tokens", choice.thinking_tokens, 0, 10'000'000));
  options.logprobs = choice.logprobs;
  options.effort = choice.effort;
}

http::Options http_options(const ModelChoice& choice) {
  http::Options options = defaults_of(choice.http);
  if (!choice.http.base_urls.empty()) options.base_urls = choice.http.base_urls;
  if (!choice.http.base_urls.empty() && !choice.http.endpoints_file.empty())
    throw InvalidArgument("--endpoints goes without --base-url: the file says where the servers are");
  options.endpoints_file = choice.http.endpoints_file;
  options.moved_from = choice.http.moved_from;
  options.model = choice.http.model_name;
  options.dialect = parse_name("--dialect", choice.http.dialect, dialects, options.dialect);
  options.server = parse_name("--server", choice.http.server, servers, options.server);
  set_messages(choice.http, options);
  options.concurrency = parse_count("--concurrency", choice.http.concurrency, 1, 4096);
  options.requests_per_minute = parse_rate("--requests-per-minute", choice.http.requests_per_minute);
  options.tokens_per_minute = parse_rate("--tokens-per-minute", choice.http.tokens_per_minute);
  options.request = parse_request(choice.http, std::move(options.request));
  options.learned = learned_of(options);
  if (!choice.http.ca_file.empty()) options.ca_file = choice.http.ca_file;
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
  options.waiting = [](std::string_view reason, double seconds) { Progress::waiting(printable_line(reason), seconds); };
  options.interrupted = [] { return interrupting_signal() != 0; };
  http::validate(options);
  return options;
}

/// A client of a batch service behind the program's interface.
class HttpBatch final : public BatchService {
 public:
  explicit HttpBatch(http::Options options) : client_(std::move(options)) {}
  std::string identity() const override { return client_.identity(); }
  bool constrains_choices() const override { return client_.choices_problem().empty(); }
  std::string start(std::span<const CompletionRequest> requests) override { return client_.start(requests); }
  Look look(const std::string& name) override {
    const http::BatchProgress progress = client_.look(name);
    std::string words = progress.words;
    if (progress.total > 0) words += fmt::format(", {} of {} answered", progress.answered, progress.total);
    using State = http::BatchProgress::State;
    return {progress.state == State::ended, progress.state == State::lost, std::move(words)};
  }
  void collect(const std::string& name, std::span<const CompletionRequest> requests,
               std::span<Completion> answers) override {
    client_.collect(name, requests, answers);
  }

 private:
  http::BatchClient client_;
};

}  // namespace

std::unique_ptr<BatchService> make_batch_service(const ModelChoice& choice) {
  if (choice.name != "http") throw InvalidArgument("--batch needs --model http");
  if (choice.http.model_name.empty()) throw InvalidArgument("--batch needs --model-name");
  return std::make_unique<HttpBatch>(http_options(choice));
}

ModelSource http_source() {
  ModelSource source{"http",
                     "a model behind OpenAI-compatible servers: --base-url, --model-name, key in OPENAI_API_KEY", true,
                     nullptr};
  source.factory = [](const ModelChoice& choice, const DomainProgram&, bool,
                      const std::shared_ptr<ModelLedger>& ledger) -> ModelFactory {
    http::Options options = http_options(choice);
    if (ledger)
      options.ask_again = [account = ledger->account("http")](const CompletionRequest& request, const Usage& cost) {
        return account->book_attempt(request, cost);
      };
    return [options = std::move(options), ledger] {
      return AnyLanguageModel(std::make_unique<CountedAnswers>(options, ledger));
    };
  };
  source.describe = [](const ModelChoice& choice) {
    return http::describe(http::HttpLanguageModel(http_options(choice)).capabilities());
  };
  return source;
}

}  // namespace icpi::program
