// SPDX-License-Identifier: MIT
#include "model_options.hpp"

namespace icpi::program {

namespace {

void add_http_options(CLI::App& command, HttpChoice& http) {
  command.add_option("--service", http.service,
                     "http: a known service, whose place, key and fields are taken care of: see docs/http_models.md");
  command
      .add_option("--base-url", http.base_urls,
                  "http: where the server is (default OPENAI_BASE_URL, else http://127.0.0.1:8080/v1); several servers "
                  "of one model, separated by commas, share the load")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--endpoints", http.endpoints_file,
                     "http: a file that lists the servers in place of --base-url, one a line; it may change while a "
                     "run goes: servers join, and leave once they have answered");
  command
      .add_option("--moved-from", http.moved_from,
                  "http: where the same servers were before; recorded and cached answers of theirs still count")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--model-name", http.model_name, "http: the model as the server calls it");
  command.add_option_function<std::string>(
      "--api-key-env", [&http](const std::string& variable) { http.api_key_env = variable; },
      "http: the NAME of the environment variable that holds the key (default OPENAI_API_KEY; '': no key)");
  command.add_option("--dialect", http.dialect,
                     "http: completions, chat, llama_native, anthropic, responses (default completions)");
  command.add_option("--chat-style", http.chat_style,
                     "http, llama: continuation, or turns: each example is a user message and a reply (default\n"
                     "continuation)");
  command.add_option_function<std::string>(
      "--instruction", [&http](const std::string& text) { http.instruction = text; },
      "http, llama: the system message of chat, in place of ours ('': none)");
  command.add_option("--choices", http.choices,
                     "http: how restrict_answers is sent, as json_schema (default: the service's way)");
  command.add_option("--thinking-tokens", http.thinking_tokens,
                     "http: tokens for a thought before the answer, beyond max_tokens; 0: no thinking");
  command.add_flag("--logprobs", http.logprobs,
                   "http: the servers give log-probabilities, which say how sure a model is");
  command.add_option("--effort", http.effort, "http: how hard to think, in the service's word, as low");
  command.add_option("--server", http.server,
                     "http: automatic, generic, llama-server, vllm, sglang (default automatic: ask it)");
  command.add_option("--concurrency", http.concurrency, "http: requests in flight per server, at most (default 32)");
  const auto add_list = [&command](const char* name, std::vector<std::string>& values, const char* meaning) {
    command.add_option(name, values, meaning)->allow_extra_args(false);
  };
  add_list("--omit", http.omit, "http: a field of the request that is not sent, as temperature");
  add_list("--rename", http.rename, "http: OLD=NEW, a field of the request that is sent by another name");
  command.add_option("--extra", http.extra, "http: a JSON object whose members every request has");
  add_list("--header", http.headers, "http: NAME=VALUE, NAME=env:VARIABLE or NAME=file:PATH, sent with every request");
  add_list("--query", http.query, "http: the same, for the end of the URLs");
  command.add_option(
      "--prompt-cache", http.prompt_cache,
      "http: how a service is told what to keep of prompts: none, key, explicit (default: the service's)");
  command.add_option("--api-key-header", http.api_key_header, "http: the header with the key (default Authorization)");
  command.add_option("--ca-file", http.ca_file, "http: certificates to trust (default CURL_CA_BUNDLE, SSL_CERT_FILE)");
  command.add_option("--requests-per-minute", http.requests_per_minute, "http: at most so many (default: no limit)");
  command.add_option("--tokens-per-minute", http.tokens_per_minute,
                     "http: of prompts, and limits of answers, at most so many (default: no limit)");
}

void add_llama_options(CLI::App& command, LlamaChoice& llama) {
  command.add_option("--model-path", llama.path, "llama: a GGUF file");
  command.add_option("--model-context", llama.context, "llama: tokens of prompt and completion (default: the model's)");
  command.add_option("--kv-mib", llama.kv_mib, "llama: memory for keys and values (default: 8 contexts, at most 1024)");
  command.add_option("--model-threads", llama.threads, "llama: threads that compute (default: one a processor)");
  command.add_option("--gpu-layers", llama.gpu_layers, "llama: layers computed on a GPU, or all (default 0)");
  command.add_option("--draft", llama.draft,
                     "llama: who guesses answers, checked several tokens at once: none, induction, ngram "
                     "(default induction)");
  command.add_option("--backend-directory", llama.backend_directory, "llama: where ggml's backends are");
}

void add_budget_options(CLI::App& command, BudgetChoice& budget) {
  command.add_option("--max-calls", budget.calls, "stop the run when the model was asked so often");
  command.add_option("--max-total-tokens", budget.tokens, "stop the run after so many tokens, prompts included");
  command.add_option("--max-cost", budget.cost, "stop the run when it cost so much, at these prices:");
  command.add_option("--prompt-price", budget.prompt_price, "of a million prompt tokens, in any currency");
  command.add_option("--cached-price", budget.cached_price,
                     "of a million prompt tokens that the server had kept (default: as other prompt tokens)");
  command.add_option(
      "--cache-write-price", budget.cache_write_price,
      "of a million prompt tokens that the server wrote into its cache (default: as other prompt tokens)");
  command.add_option("--completion-price", budget.completion_price, "of a million completion tokens");
  command.add_option("--prices", budget.price_file,
                     "a JSON file of prices by --model-name, in place of the options above: see docs/program.md");
}

/// Notes which options were said that are for some models alone, as the texts that explain them begin with.
void note_what_is_said(CLI::App& command, ModelChoice& model) {
  for (CLI::Option* option : command.get_options()) {
    const std::string& text = option->get_description();
    const std::string models = text.substr(0, text.find(": "));
    if (models != "http" && models != "llama" && models != "http, llama") continue;
    option->each([&model, name = option->get_name(), models](const std::string&) {
      model.said.push_back({name, models});
    });
  }
}

}  // namespace

void add_model_options(CLI::App& command, ModelChoice& model) {
  add_http_options(command, model.http);
  add_llama_options(command, model.llama);
  command.add_option(
      "--cache", model.cache,
      "keep answers in this file, over runs, or in the database postgresql://HOST/NAME: nothing is asked twice");
  command.add_flag("--require-cache", model.require_cache, "answer from --cache alone: replay without the model");
  command.add_flag("--cache-optional", model.cache_optional, "go on without --cache when its file fails");
  command.add_flag("--keep-going", model.keep_going,
                   "http: also when more than half of the first 20 answers of a kind cannot be read");
  add_budget_options(command, model.budget);
  note_what_is_said(command, model);
}

void add_model(CLI::App& command, ModelChoice& model) {
  command.add_option("--model", model.name, "see `icpi models` (default induction)");
  add_model_options(command, model);
}

}  // namespace icpi::program
