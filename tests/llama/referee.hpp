// SPDX-License-Identifier: MIT
// How near two tokens were to each other where two answers to one question part.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/llama/language_model.hpp"
#include "llama/loaded_model.hpp"
#include "llama/request_tokens.hpp"
#include "llama/sampler.hpp"

namespace icpi_test {

/// The first token of two answers that is another one.
struct Parting {
  std::size_t token = 0;  ///< how many both have before it
  std::string first;      ///< in quotes, or "the end"
  std::string second;
  double apart = 0;  ///< greedy: nats; drawn: probability
};

/// Computes the logits where answers part once more, with nothing else in memory. The end of an answer is a token, too: the
/// likeliest of those that end it so, since answers do not tell which.
class Referee {
 public:
  explicit Referee(const icpi::llama::Options& options) : model_(options), tokenizer_(model_, options) {}

  /// Of a greedy request: how much likelier the best token is than the lesser of the two. Of a drawn one: how far the number
  /// that was drawn lies from what gives the one or the other, whichever is farther.
  Parting part(const icpi::CompletionRequest& request, const icpi::Completion& one, const icpi::Completion& other) {
    Parting parting;
    const std::size_t both = std::min(one.tokens.size(), other.tokens.size());
    begin(request);
    icpi::RandomStream stream{icpi::RandomKey(request.seed.value_or(0)).child(request.sample_index)};
    std::string text;
    double drawn = stream.uniform();
    for (; parting.token < both; ++parting.token) {
      const std::string& piece = one.tokens[parting.token].token;
      if (piece != other.tokens[parting.token].token) break;
      take(best([&](Token token) { return model_.piece(token) == piece; }));
      text += piece;
      drawn = stream.uniform();
    }
    const auto of = [&](const icpi::Completion& answer, std::string& name) {
      const bool ends = parting.token == answer.tokens.size();
      name = ends ? "the end" : "'" + answer.tokens[parting.token].token + "'";
      return is_next(request, answer, parting.token, text);
    };
    const double temperature = request.sampling.temperature.value_or(1);
    const auto first = of(one, parting.first);
    const auto second = of(other, parting.second);
    parting.apart = temperature == 0 ? std::max(behind_best(first), behind_best(second))
                                     : std::max(beside(first, drawn, temperature), beside(second, drawn, temperature));
    return parting;
  }

 private:
  using Token = icpi::llama::Token;
  using IsNext = std::function<bool(Token)>;

  void begin(const icpi::CompletionRequest& request) {
    EXPECT_EQ(request.sampling.top_p.value_or(1), 1);
    icpi::llama::TextTokens prefix;
    tokenizer_.tokenize_prefix(request, prefix);
    std::vector<Token> rest;
    tokenizer_.tokenize_rest(request, prefix, rest);
    std::vector<Token> prompt(prefix.tokens.begin(),
                              prefix.tokens.begin() + static_cast<std::ptrdiff_t>(prefix.tokens_at_cut));
    prompt.insert(prompt.end(), rest.begin(), rest.end());
    const auto known = std::mismatch(prompt.begin(), prompt.end() - 1, tokens_.begin(), tokens_.end()).first;
    tokens_.assign(prompt.begin(), known);
    model_.forget(0, tokens_.size());
    compute({known, prompt.end()});
  }

  void take(Token token) { compute({token}); }

  void compute(const std::vector<Token>& more) {
    constexpr std::array<icpi::llama::Sequence, 1> sequence{0};
    constexpr std::size_t most = 60;
    for (std::size_t from = 0; from < more.size(); from += most) {
      std::vector<icpi::llama::BatchToken> batch;
      for (std::size_t i = from; i < std::min(from + most, more.size()); ++i) {
        batch.push_back({more[i], static_cast<std::int32_t>(tokens_.size()), sequence, i + 1 == more.size()});
        tokens_.push_back(more[i]);
      }
      EXPECT_EQ(model_.compute(batch), icpi::llama::LoadedModel::Outcome::done);
      if (batch.back().output) logits_ = model_.logits(batch.size() - 1);
    }
  }

  /// Whether a token leads to what the answer has behind its first `token` ones, which say `text`.
  IsNext is_next(const icpi::CompletionRequest& request, const icpi::Completion& answer, std::size_t token,
                 const std::string& text) const {
    if (token < answer.tokens.size())
      return [this, &answer, token](Token each) { return model_.piece(each) == answer.tokens[token].token; };
    return [this, &request, &answer, text](Token each) {
      if (model_.ends_text(each)) return answer.text == text;
      const std::string longer = text + std::string(model_.piece(each));
      return std::any_of(request.stop.begin(), request.stop.end(),
                         [&](std::string_view stop) { return longer.find(stop) == answer.text.size(); });
    };
  }

  [[nodiscard]] Token best(const IsNext& is) const {
    Token found = -1;
    for (std::size_t i = 0; i < logits_.size(); ++i)
      if (const auto token = static_cast<Token>(i);
          is(token) && (found < 0 || logits_[i] > logits_[static_cast<std::size_t>(found)]))
        found = token;
    EXPECT_GE(found, 0) << "no token goes on so";
    return std::max(found, 0);
  }

  [[nodiscard]] double behind_best(const IsNext& is) const {
    const double most = *std::max_element(logits_.begin(), logits_.end());
    return most - static_cast<double>(logits_[static_cast<std::size_t>(best(is))]);
  }

  /// The sampler gives the tokens, in their order, parts of the line from 0 to 1.
  [[nodiscard]] double beside(const IsNext& is, double drawn, double temperature) const {
    const double most = *std::max_element(logits_.begin(), logits_.end());
    const auto weight = [&](float logit) { return std::exp((static_cast<double>(logit) - most) / temperature); };
    double whole = 0;
    for (const float logit : logits_) whole += weight(logit);
    double nearest = std::numeric_limits<double>::infinity();
    double begin = 0;
    for (std::size_t i = 0; i < logits_.size(); ++i) {
      const double end = begin + weight(logits_[i]) / whole;
      if (is(static_cast<Token>(i))) nearest = std::min(nearest, std::max({begin - drawn, drawn - end, 0.0}));
      begin = end;
    }
    return nearest;
  }

  icpi::llama::LoadedModel model_;
  icpi::llama::RequestTokenizer tokenizer_;
  std::vector<Token> tokens_;  ///< in memory
  std::span<const float> logits_;
};

}  // namespace icpi_test
