// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/random.hpp"
#include "icpi/models/induction/prefix_state.hpp"

namespace icpi::induction {

/// Writes completions and scores texts, one at a time. Holds memory that is reused.
class Generator {
 public:
  /// Answers a valid request from the state of its prefix; leaves usage of the prefix to the caller.
  void complete(PrefixState& state, const CompletionRequest& request, Completion& completion) {
    begin(state, request.query);
    completion.usage.prompt_tokens = query_.counted();
    RandomStream random(RandomKey(request.seed).child(request.sample_index));
    if (!request.choices.empty()) {
      choose(state, request, random, completion);
      return;
    }
    write(state, request, random, completion);
  }

  /// Natural logarithm of the probability of `text` after the prompt.
  double score(PrefixState& state, std::string_view query, std::string_view text,
               std::vector<TokenLogprob>* tokens = nullptr) {
    begin(state, query);
    PrefixState::Node* node = &state.start(query_);
    double sum = 0;
    char previous = query_.previous();
    for (std::size_t at = 0; at < text.size();) {
      const Lexeme lexeme = next_lexeme(text, at, previous);
      const std::string_view piece = text.substr(at, lexeme.size);
      const TokenId token = lexeme.kind == TokenKind::newline ? newline_token : query_.id_of(piece, lexeme.kind);
      state.predict(*node, query_, predictor_, prediction_);
      const double logprob = logprob_of(token);
      sum += logprob;
      if (tokens != nullptr) tokens->push_back({std::string(piece), logprob});
      query_.push(token);
      node = &state.after(*node, token, query_);
      previous = piece.back();
      at += lexeme.size;
    }
    return sum;
  }

  [[nodiscard]] std::uint64_t query_tokens() const noexcept { return query_.counted(); }

 private:
  void begin(const PrefixState& state, std::string_view query) {
    query_.begin(state.index());
    text_.assign(state.index().tail());
    text_.append(query);
    query_.append(text_);
  }

  /// A token without support: the escape probability, times that of its bytes (every further byte: one of 512).
  [[nodiscard]] double logprob_of(TokenId token) const {
    for (const Option& option : prediction_.options)
      if (option.token == token && option.probability > 0) return std::log(option.probability);
    return std::log(prediction_.escape) - std::log(512.0) * static_cast<double>(query_.text(token).size());
  }

  /// Draws an option: probabilities to the power 1 / temperature, the likeliest ones that make up top_p.
  const Option& draw(const Sampling& sampling, RandomStream& random) {
    const std::vector<Option>& options = prediction_.options;
    if (sampling.temperature == 0 || options.size() == 1) return options.front();
    weights_.clear();
    double total = 0;
    for (const Option& option : options) {
      const double relative = std::log(option.probability / options.front().probability);
      weights_.push_back(option.probability > 0 ? std::exp(relative / sampling.temperature) : 0);
      total += weights_.back();
    }
    double allowed = 0;
    std::size_t count = 0;
    while (count < weights_.size() && (count == 0 || allowed < sampling.top_p * total)) allowed += weights_[count++];
    double left = random.uniform() * allowed;
    std::size_t chosen = 0;
    while (chosen + 1 < count && left >= weights_[chosen]) left -= weights_[chosen++];
    return options[chosen];
  }

  void write(PrefixState& state, const CompletionRequest& request, RandomStream& random, Completion& completion) {
    PrefixState::Node* node = &state.start(query_);
    completion.finish = FinishReason::length;
    bool joined = false;  // the last token is a run of spaces that the next one joins
    for (;;) {
      state.predict(*node, query_, predictor_, prediction_);
      if (prediction_.options.empty()) {
        completion.finish = FinishReason::stop;
        return;
      }
      if (!joined && completion.usage.completion_tokens == static_cast<std::uint64_t>(request.sampling.max_tokens))
        return;
      const Option option = draw(request.sampling, random);
      const std::string_view piece = query_.text(option.token);
      const std::size_t before = completion.text.size();
      completion.text.append(piece);
      if (!joined) ++completion.usage.completion_tokens;
      if (request.want_logprobs) note(piece, std::log(option.probability), joined, completion);
      joined = query_.info(option.token).kind == TokenKind::space && !joined;
      if (cut_at_stop(request.stop, before, completion)) return;
      query_.push(option.token);
      node = &state.after(*node, option.token, query_);
    }
  }

  static void note(std::string_view piece, double logprob, bool joined, Completion& completion) {
    if (joined) {
      completion.tokens.back().token.append(piece);
      completion.tokens.back().logprob += logprob;
    } else {
      completion.tokens.push_back({std::string(piece), logprob});
    }
  }

  /// Ends the text before the first stop string; drops the tokens that are no longer whole.
  static bool cut_at_stop(std::span<const std::string_view> stops, std::size_t before, Completion& completion) {
    std::size_t first = std::string::npos;
    for (const std::string_view stop : stops) {
      if (stop.empty()) continue;
      const std::size_t from = before >= stop.size() - 1 ? before - (stop.size() - 1) : 0;
      first = std::min(first, completion.text.find(stop, from));
    }
    if (first == std::string::npos) return false;
    completion.finish = FinishReason::stop;
    std::size_t length = completion.text.size();
    while (!completion.tokens.empty() && length > first) {
      length -= completion.tokens.back().token.size();
      completion.tokens.pop_back();
    }
    completion.text.resize(first);
    return true;
  }

  void choose(PrefixState& state, const CompletionRequest& request, RandomStream& random, Completion& completion) {
    const auto stop =
        std::find_if(request.stop.begin(), request.stop.end(), [](std::string_view s) { return !s.empty(); });
    const std::string_view ending = stop == request.stop.end() ? std::string_view() : *stop;
    scores_.clear();
    std::string text;
    for (const std::string_view choice : request.choices) {
      text.assign(choice).append(ending);
      scores_.push_back(score(state, request.query, text));
    }
    const double largest = *std::max_element(scores_.begin(), scores_.end());
    std::size_t chosen = static_cast<std::size_t>(std::find(scores_.begin(), scores_.end(), largest) - scores_.begin());
    if (request.sampling.temperature > 0) {
      double total = 0;
      for (double& score : scores_) total += score = std::exp((score - largest) / request.sampling.temperature);
      double left = random.uniform() * total;
      for (chosen = 0; chosen + 1 < scores_.size() && left >= scores_[chosen]; ++chosen) left -= scores_[chosen];
    }
    completion.text.assign(request.choices[chosen]);
    completion.finish = FinishReason::stop;
    std::vector<TokenLogprob> tokens;
    score(state, request.query, completion.text, &tokens);
    completion.usage.completion_tokens = tokens.size();
    if (request.want_logprobs) completion.tokens = std::move(tokens);
  }

  QueryText query_;
  Predictor predictor_;
  Prediction prediction_;
  std::string text_;
  std::vector<double> weights_;
  std::vector<double> scores_;
};

}  // namespace icpi::induction
