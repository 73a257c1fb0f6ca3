// SPDX-License-Identifier: MIT
// Questions of a run, put to pretrained models in several ways, and how the answers differ.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "helpers.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "icpi/models/induction.hpp"
#include "referee.hpp"
#include "support/agent_options.hpp"

namespace icpi_test {

/// How many questions are asked; ICPI_LLAMA_QUESTIONS says another number.
inline std::size_t question_count() {
  const char* said = std::getenv("ICPI_LLAMA_QUESTIONS");
  return said != nullptr ? std::strtoull(said, nullptr, 10) : ICPI_LLAMA_LONG ? 1000 : 50;
}

/// Of questions whose whole prompts are computed for each.
inline std::size_t whole_prompt_count() { return std::max<std::size_t>(question_count() / 10, 4); }

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

/// Questions of a run in the chain with options that ask much.
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
    icpi::PolicyIteration<icpi::Chain, KeepsQuestions> agent(env, model, icpi_test::much_asking_options());
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
  std::size_t answers = 0;         ///< that were compared
  std::vector<std::size_t> texts;  ///< numbers of those that differ
  double worst = 0;                ///< of log-probabilities of tokens that both have, up to the first difference

  static Differences between(const std::vector<icpi::Completion>& these, const std::vector<icpi::Completion>& those) {
    Differences found;
    found.answers = these.size();
    for (std::size_t i = 0; i < these.size(); ++i) {
      EXPECT_FALSE(these[i].error) << i << ": " << these[i].error.message;
      EXPECT_FALSE(those[i].error) << i << ": " << those[i].error.message;
      EXPECT_EQ(these[i].usage.prompt_tokens, those[i].usage.prompt_tokens) << i;
      if (these[i].text != those[i].text) found.texts.push_back(i);
      for (std::size_t t = 0; t < std::min(these[i].tokens.size(), those[i].tokens.size()); ++t) {
        if (these[i].tokens[t].token != those[i].tokens[t].token) break;
        found.worst = std::max(found.worst, std::abs(these[i].tokens[t].logprob - those[i].tokens[t].logprob));
      }
    }
    return found;
  }
};

/// That texts are equal but for near-ties. Where two part, the tokens are no farther apart than the largest difference that a
/// control shows, which is of answers that differ by company alone, and than .1; and as many part as of the control twice, and
/// no more than 1 %, but one in fewer than a hundred. `these` were found to differ from `those` by `found`; the control is
/// made where texts differ.
inline void expect_near_ties(std::string_view how, const Differences& found,
                             const std::function<Differences()>& make_control,
                             std::span<const icpi::CompletionRequest> requests,
                             const std::vector<icpi::Completion>& these, const std::vector<icpi::Completion>& those,
                             Referee& referee) {
  std::printf("  %s: %zu of %zu texts differ; log-probabilities within %.3g\n", std::string(how).c_str(),
              found.texts.size(), found.answers, found.worst);
  std::fflush(stdout);
  EXPECT_LE(found.worst, 0.25) << how;
  if (found.texts.empty()) return;
  const Differences control = make_control();
  const double most_apart = std::min(control.worst, 0.1);
  double farthest = 0;
  for (const std::size_t i : found.texts) {
    const Parting parting = referee.part(requests[i], these[i], those[i]);
    farthest = std::max(farthest, parting.apart);
    EXPECT_LE(parting.apart, most_apart) << how << ": question " << i << ", token " << parting.token << ": "
                                         << parting.first << ", and " << parting.second << " otherwise, "
                                         << parting.apart << " apart; '" << these[i].text << "', '" << those[i].text
                                         << "'";
  }
  const std::size_t bound = std::min(2 * control.texts.size(), found.answers / 100);
  const std::size_t most_texts = found.answers < 100 ? std::max<std::size_t>(bound, 1) : bound;
  std::printf("  control: %zu differ; bound %zu; they part by %.3g, bound %.3g; its log-probabilities within %.3g\n",
              control.texts.size(), most_texts, farthest, most_apart, control.worst);
  std::fflush(stdout);
  EXPECT_LE(found.texts.size(), most_texts)
      << how << ": texts that differ, of " << found.answers << "; of the control " << control.texts.size();
}

}  // namespace icpi_test
