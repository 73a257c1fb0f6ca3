// SPDX-License-Identifier: MIT
#pragma once

#include <llama.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace icpi_test {

/// The plainest way to complete with libllama: one prompt at a time, one sequence, nothing kept, keys and values in f32.
class PlainLoop {
 public:
  struct Step {
    std::string piece;
    double logprob = 0;
    double lead = 0;  ///< over the second best
  };

  /// Prompts are computed in pieces of up to `piece_tokens`.
  explicit PlainLoop(const std::string& file, std::uint32_t piece_tokens = 512) {
    llama_model_params model_parameters = llama_model_default_params();
    model_parameters.n_gpu_layers = 0;
    model_.reset(llama_model_load_from_file(file.c_str(), model_parameters));
    if (!model_) throw std::runtime_error("the plain loop cannot load " + file);
    llama_context_params parameters = llama_context_default_params();
    parameters.n_ctx = 4096;
    parameters.n_ubatch = piece_tokens;
    parameters.n_threads = parameters.n_threads_batch = 1;
    parameters.type_k = parameters.type_v = GGML_TYPE_F32;
    context_.reset(llama_init_from_model(model_.get(), parameters));
    vocabulary_ = llama_model_get_vocab(model_.get());
  }

  std::vector<llama_token> tokenize(std::string_view text) const {
    std::vector<llama_token> tokens(text.size() + 8);
    const auto count = llama_tokenize(vocabulary_, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                      static_cast<int32_t>(tokens.size()), false, false);
    tokens.resize(static_cast<std::size_t>(count));
    return tokens;
  }

  /// Greedy tokens after the two parts of a prompt.
  std::vector<Step> complete(std::string_view prefix, std::string_view query, int max_tokens) {
    start(prefix, query);
    std::vector<Step> steps;
    for (int i = 0; i < max_tokens; ++i) {
      const auto ranked = logprobs();
      const auto best = std::max_element(ranked.begin(), ranked.end());
      auto others = ranked;
      others[static_cast<std::size_t>(best - ranked.begin())] = -1e300;
      const double second = *std::max_element(others.begin(), others.end());
      const auto token = static_cast<llama_token>(best - ranked.begin());
      if (llama_vocab_is_eog(vocabulary_, token)) break;
      steps.push_back({piece(token), *best, *best - second});
      decode({token});
    }
    return steps;
  }

  /// Log-probability of a continuation, token by token.
  double score(std::string_view prefix, std::string_view query, std::string_view continuation) {
    start(prefix, query);
    double sum = 0;
    for (const llama_token token : tokenize(continuation)) {
      sum += logprobs()[static_cast<std::size_t>(token)];
      decode({token});
    }
    return sum;
  }

 private:
  struct Free {
    void operator()(llama_model* model) const { llama_model_free(model); }
    void operator()(llama_context* context) const { llama_free(context); }
  };

  void start(std::string_view prefix, std::string_view query) {
    llama_memory_clear(llama_get_memory(context_.get()), true);
    if (!prefix.empty()) decode(tokenize(prefix));
    decode(tokenize(query));
  }

  void decode(std::vector<llama_token> tokens) {
    for (std::size_t from = 0; from < tokens.size(); from += 512) {
      const auto count = std::min<std::size_t>(512, tokens.size() - from);
      if (llama_decode(context_.get(), llama_batch_get_one(tokens.data() + from, static_cast<int32_t>(count))) != 0)
        throw std::runtime_error("llama_decode failed");
    }
  }

  std::vector<double> logprobs() const {
    const float* logits = llama_get_logits_ith(context_.get(), -1);
    std::vector<double> values(logits, logits + llama_vocab_n_tokens(vocabulary_));
    const double highest = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (const double each : values) sum += std::exp(each - highest);
    for (double& each : values) each -= highest + std::log(sum);
    return values;
  }

  std::string piece(llama_token token) const {
    std::string text(64, '\0');
    text.resize(static_cast<std::size_t>(std::max(
        0, llama_token_to_piece(vocabulary_, token, text.data(), static_cast<int32_t>(text.size()), 0, false))));
    return text;
  }

  std::unique_ptr<llama_model, Free> model_;
  std::unique_ptr<llama_context, Free> context_;
  const llama_vocab* vocabulary_ = nullptr;
};

}  // namespace icpi_test
