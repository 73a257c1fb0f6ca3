// SPDX-License-Identifier: MIT
// What the pages about the adapters show; compiled, and not run: there is no server.
#include <fmt/format.h>

#include <cstdio>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/http/language_model.hpp"
#include "icpi/icpi.hpp"
#include "icpi/llama/language_model.hpp"
#include "icpi/store/completion_cache.hpp"

namespace docs {

// Declared only where it is defined: examples of use, not functions for others.
void http_model(icpi::Chain& env);
void cached_model(const icpi::http::Options& options);
void llama_model(icpi::Chain& env);

void http_model(icpi::Chain& env) {
  icpi::http::Options options;
  options.base_urls = {"http://127.0.0.1:8080/v1"};
  options.model = "my-model";              // empty: the only one the server lists
  options.api_key_env = "OPENAI_API_KEY";  // the name of a variable; empty: no key
  icpi::http::HttpLanguageModel model(options);
  icpi::PolicyIteration<icpi::Chain, icpi::http::HttpLanguageModel> agent(env, model, {});
  agent.train(env, {.steps = 80});
}

void cached_model(const icpi::http::Options& options) {
  icpi::store::CacheOptions cache;
  cache.file = "answers.db";
  cache.notice = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  icpi::store::CompletionCache model(icpi::http::HttpLanguageModel(options), cache);
  fmt::print("{}\n", model.identity());
}

void llama_model(icpi::Chain& env) {
  icpi::llama::Options options;
  options.model_path = "model.gguf";
  icpi::llama::LlamaLanguageModel model(options);
  icpi::PolicyIterationOptions agent_options;
  agent_options.queries.restrict_answers = true;  // known answers are chosen, not written
  icpi::PolicyIteration<icpi::Chain, icpi::llama::LlamaLanguageModel> agent(env, model, agent_options);
  agent.train(env, {.steps = 80});
}

}  // namespace docs
