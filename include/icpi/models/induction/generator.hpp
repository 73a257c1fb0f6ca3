// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
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
  /// Answers a valid request from the state of its prefix. Its usage counts the complete lines of the prefix too.
  void complete(PrefixState& state, const CompletionRequest& request, Completion& completion) {
    begin(state, request.query);
    completion.usage.prompt_tokens = state.index().counted() + query_.counted();
    deadline_ = request.timeout.count() > 0
                    ? Clock::now() + std::min<std::chrono::milliseconds>(request.timeout, longest_wait)
                    : Clock::time_point::max();
    RandomStream random(RandomKey(request.seed.value_or(0)).child(request.sample_index));
    if (request.choices.empty())
      write(state, request, random, completion);
    else
      choose(state, request, random, completion);
    if (!late()) return;
    completion.error = {ErrorCategory::timeout, "InductionModel: no answer within the request's timeout", 0};
    completion.text.clear();
    completion.tokens.clear();
    completion.usage.completion_tokens = 0;
    completion.finish = FinishReason::error;
  }

  /// Scores continuations of a prompt. The usage is that of the prompt.
  void score(PrefixState& state, const ScoreRequest& request, Scores& scores) {
    deadline_ = Clock::time_point::max();
    begin(state, request.query);
    scores.usage.prompt_tokens = state.index().counted() + query_.counted();
    for (const std::string_view text : request.continuations)
      scores.logprobs.push_back(score(state, request.query, text));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::hours longest_wait{24 * 365};

  void begin(const PrefixState& state, std::string_view query) {
    query_.begin(state.index());
    text_.assign(state.index().tail());
    text_.append(query);
    query_.append(text_);
  }

  /// Natural logarithm of the probability of `text` after the prompt, of as much as there is time for.
  double score(PrefixState& state, std::string_view query, std::string_view text,
               std::vector<TokenLogprob>* tokens = nullptr) {
    begin(state, query);
    PrefixState::Node* node = &state.start(query_);
    double sum = 0;
    bool joined = false;
    for (std::size_t at = 0; at < text.size() && !late();) {
      const Lexeme lexeme = next_lexeme(text, at, query_.previous());
      const std::string_view piece = text.substr(at, lexeme.size);
      const TokenId token = lexeme.kind == TokenKind::newline ? newline_token : query_.id_of(piece, lexeme.kind);
      state.predict(*node, query_, predictor_, prediction_);
      const double logprob = logprob_of(token);
      sum += logprob;
      if (tokens != nullptr) note(piece, logprob, joined, *tokens);
      joined = lexeme.kind == TokenKind::space;
      query_.push(token);
      node = &state.after(*node, token, query_);
      at += lexeme.size;
    }
    return sum;
  }

  /// A token without support: the escape probability, times that of its bytes (each one of 512).
  [[nodiscard]] double logprob_of(TokenId token) const {
    for (const Option& option : prediction_.options)
      if (option.token == token && option.probability > 0) return std::log(option.probability);
    return std::log(prediction_.escape) - std::log(512.0) * static_cast<double>(query_.text(token).size());
  }

  /// Draws from `weights_`; where top_p is below 1, from the largest of them that make it up.
  std::size_t draw(double top_p, RandomStream& random) {
    double allowed = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    if (top_p < 1) {
      order_.resize(weights_.size());
      std::iota(order_.begin(), order_.end(), std::size_t{0});
      std::stable_sort(order_.begin(), order_.end(),
                       [&](std::size_t a, std::size_t b) { return weights_[a] > weights_[b]; });
      const double enough = top_p * allowed;
      allowed = 0;
      for (const std::size_t i : order_)
        if (allowed > 0 && allowed >= enough)
          weights_[i] = 0;
        else
          allowed += weights_[i];
    }
    double left = random.uniform() * allowed;
    std::size_t chosen = 0;
    while (chosen + 1 < weights_.size() && left >= weights_[chosen]) left -= weights_[chosen++];
    while (weights_[chosen] == 0 && chosen > 0) --chosen;  // rounding took it past the last one
    return chosen;
  }

  /// Draws a token that can be written after `text`; null if there is none.
  const Option* draw_option(const Sampling& sampling, const std::string& text, RandomStream& random) {
    std::vector<Option>& options = prediction_.options;
    while (!options.empty()) {
      std::size_t chosen = 0;
      const double temperature = sampling.temperature.value_or(0);
      if (temperature > 0 && options.size() > 1) {
        weights_.clear();
        for (const Option& option : options) {
          const double relative = std::log(option.probability / options.front().probability);
          weights_.push_back(option.probability > 0 ? std::exp(relative / temperature) : 0);
        }
        chosen = draw(sampling.top_p.value_or(1), random);
      }
      if (fits(text, options[chosen].token)) return &options[chosen];
      options.erase(options.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    return nullptr;
  }

  void write(PrefixState& state, const CompletionRequest& request, RandomStream& random, Completion& completion) {
    PrefixState::Node* node = &state.start(query_);
    borders_ = {0, 0};
    before_ = query_.previous();
    completion.finish = FinishReason::length;
    const auto most = static_cast<std::uint64_t>(request.sampling.max_tokens.value_or(100));
    bool joined = false;  // the last token is a run of spaces that the next one joins
    while (!late()) {
      state.predict(*node, query_, predictor_, prediction_);
      const bool full = completion.usage.completion_tokens == most;
      if (full && !joined && !prediction_.options.empty()) return;
      const Option* option = draw_option(request.sampling, completion.text, random);
      if (option == nullptr) {
        completion.finish = FinishReason::stop;
        return;
      }
      const TokenId token = option->token;
      const std::string_view piece = query_.text(token);
      const std::size_t before = completion.text.size();
      borders_ = {borders_[1], before};
      completion.text.append(piece);
      if (!joined) ++completion.usage.completion_tokens;
      if (request.want_logprobs) note(piece, std::log(option->probability), joined, completion.tokens);
      joined = query_.info(token).kind == TokenKind::space;
      if (cut_at_stop(request.stop, before, completion)) return;
      query_.push(token);
      node = &state.after(*node, token, query_);
    }
  }

  /// Whether the token, written after `text`, is read again as it was written: as one token, and leaving the borders of
  /// the two tokens before it where they are. (No token looks further ahead than that.)
  bool fits(const std::string& text, TokenId token) {
    const std::string_view piece = query_.text(token);
    if (!may_join(text.empty() ? before_ : text.back(), piece.front())) return true;
    spelled_.assign(text, borders_[0]).append(piece);
    char previous = borders_[0] == 0 ? before_ : text[borders_[0] - 1];
    const std::array<std::size_t, 3> ends{borders_[1], text.size(), text.size() + piece.size()};
    std::size_t at = borders_[0];
    for (const std::size_t end : ends) {
      if (at == end) continue;
      at += next_lexeme(spelled_, at - borders_[0], previous).size;
      if (at != end) return false;
      previous = spelled_[at - borders_[0] - 1];
    }
    return true;
  }

  [[nodiscard]] bool late() const { return deadline_ != Clock::time_point::max() && Clock::now() >= deadline_; }

  static void note(std::string_view piece, double logprob, bool joined, std::vector<TokenLogprob>& tokens) {
    if (joined) {
      tokens.back().token.append(piece);
      tokens.back().logprob += logprob;
    } else {
      tokens.push_back({std::string(piece), logprob});
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

  /// Answers one of the choices; each counts as likely as it is together with the first stop string.
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
    const auto best = std::max_element(scores_.begin(), scores_.end());
    auto chosen = static_cast<std::size_t>(best - scores_.begin());
    if (const double temperature = request.sampling.temperature.value_or(0); temperature > 0) {
      weights_.clear();
      for (const double score : scores_) weights_.push_back(std::exp((score - *best) / temperature));
      chosen = draw(request.sampling.top_p.value_or(1), random);
    }
    completion.text.assign(request.choices[chosen]);
    completion.finish = FinishReason::stop;
    score(state, request.query, completion.text, &completion.tokens);
    completion.usage.completion_tokens = completion.tokens.size();
    if (!request.want_logprobs) completion.tokens.clear();
  }

  QueryText query_;
  Predictor predictor_;
  Prediction prediction_;
  Clock::time_point deadline_;
  std::array<std::size_t, 2> borders_{};  ///< where the last two tokens of the text being written begin
  char before_ = '\n';                    ///< the character before that text
  std::string text_;
  std::string spelled_;
  std::vector<double> weights_;
  std::vector<double> scores_;
  std::vector<std::size_t> order_;
};

}  // namespace icpi::induction
