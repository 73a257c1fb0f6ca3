// SPDX-License-Identifier: MIT
// Questions of a run, put to pretrained models in several ways, and how the answers differ.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "helpers.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "icpi/models/induction.hpp"

namespace icpi_test {

/// How many questions are asked; ICPI_LLAMA_QUESTIONS says another number.
inline std::size_t question_count() {
  const char* said = std::getenv("ICPI_LLAMA_QUESTIONS");
  return said != nullptr ? std::strtoull(said, nullptr, 10) : ICPI_LLAMA_LONG ? 1000 : 24;
}

/// A question that outlives the agent that asked it.
struct Kept {
  std::string prefix;
  std::uint64_t identity = 0;
  std::string query;
  std::vector<std::string> stop_texts;
  std::vector<std::string_view> stop;
  icpi::Sampling sampling;
  std::optional<std::uint64_t> seed;
};

/// Answers as the embedded model does, and keeps what it was asked.
class KeepsQuestions {
 public:
  explicit KeepsQuestions(std::vector<Kept>& kept) : kept_(&kept) {}
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (const icpi::CompletionRequest& request : requests)
      kept_->push_back({std::string(request.prefix.text),
                        request.prefix.identity,
                        std::string(request.query),
                        {request.stop.begin(), request.stop.end()},
                        {},
                        request.sampling,
                        request.seed});
    model_.complete(requests, completions);
  }

 private:
  icpi::InductionModel model_;
  std::vector<Kept>* kept_;
};

/// Questions of a run in the chain with the recommended options.
class Recorded {
 public:
  /// As they were asked; `temperature` in place of theirs.
  [[nodiscard]] std::vector<icpi::CompletionRequest> requests(double temperature) const {
    std::vector<icpi::CompletionRequest> all;
    for (const Kept& each : kept_) {
      icpi::CompletionRequest& request = all.emplace_back();
      request.prefix = {each.identity, each.prefix};
      request.query = each.query;
      request.stop = each.stop;
      request.sampling = each.sampling;
      request.sampling.temperature = temperature;
      request.seed = each.seed;
      request.want_logprobs = true;
    }
    return all;
  }

  static const Recorded& instance() {
    static const Recorded recorded;
    return recorded;
  }

 private:
  Recorded() {
    icpi::Chain env;
    KeepsQuestions model(kept_);
    icpi::PolicyIteration<icpi::Chain, KeepsQuestions> agent(env, model, {});
    const std::size_t count = question_count();
    for (std::size_t steps = 40; kept_.size() < 2 * count; steps += 40) agent.train(env, {.steps = steps});
    const std::size_t every = kept_.size() / count;
    for (std::size_t i = 0; i < count; ++i) std::swap(kept_[i], kept_[i * every]);
    kept_.resize(count);
    for (Kept& each : kept_) each.stop.assign(each.stop_texts.begin(), each.stop_texts.end());
  }

  std::vector<Kept> kept_;
};

inline std::vector<icpi::Completion> answers(icpi::llama::LlamaLanguageModel& model,
                                             std::span<const icpi::CompletionRequest> requests, std::size_t together) {
  std::vector<icpi::Completion> completions(requests.size());
  for (std::size_t i = 0; i < requests.size(); i += together) {
    const std::size_t count = std::min(together, requests.size() - i);
    model.complete(requests.subspan(i, count), std::span(completions).subspan(i, count));
  }
  return completions;
}

/// How answers differ from others to the same questions.
struct Differences {
  std::size_t answers = 0;  ///< that were compared
  std::size_t texts = 0;    ///< of them that differ
  double worst = 0;         ///< of log-probabilities of tokens that both have, up to the first difference
  double farthest = 0;      ///< between the log-probabilities of the first tokens that differ

  static Differences between(const std::vector<icpi::Completion>& these, const std::vector<icpi::Completion>& those) {
    Differences found;
    found.answers = these.size();
    for (std::size_t i = 0; i < these.size(); ++i) {
      EXPECT_FALSE(these[i].error) << these[i].error.message;
      if (these[i].text != those[i].text) ++found.texts;
      for (std::size_t t = 0; t < std::min(these[i].tokens.size(), those[i].tokens.size()); ++t) {
        const double apart = std::abs(these[i].tokens[t].logprob - those[i].tokens[t].logprob);
        const bool same = these[i].tokens[t].token == those[i].tokens[t].token;
        double& most = same ? found.worst : found.farthest;
        most = std::max(most, apart);
        if (!same) break;
      }
    }
    return found;
  }
};

}  // namespace icpi_test
