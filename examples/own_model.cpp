// SPDX-License-Identifier: MIT
// A language model: it looks for the longest end of the prompt that occurs earlier in it, and writes what came next
// there. Letters are its tokens.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"

class RepeatingModel {
 public:
  [[nodiscard]] static std::string identity() { return "repeating/1"; }

  static void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    if (requests.size() != completions.size()) throw icpi::InvalidArgument("RepeatingModel: spans differ in length");
    for (std::size_t i = 0; i < requests.size(); ++i) completions[i] = answer(requests[i]);
  }

 private:
  static icpi::Completion answer(const icpi::CompletionRequest& request) {
    icpi::Completion completion;
    if (!request.choices.empty() || request.want_logprobs) {  // what cannot be honoured is said, never ignored
      completion.error = {icpi::ErrorCategory::invalid_request, "RepeatingModel has neither choices nor logprobs", 0};
      return completion;
    }
    completion.error = icpi::check_sampling(request.sampling);
    if (completion.error) return completion;
    std::string prompt(request.prefix.text);
    prompt += request.query;
    const std::string_view longest = continuation(prompt);
    std::size_t end = std::min(longest.size(), static_cast<std::size_t>(request.sampling.max_tokens.value_or(100)));
    completion.finish = end < longest.size() ? icpi::FinishReason::length : icpi::FinishReason::stop;
    for (const std::string_view stop : request.stop) {
      const std::size_t found = longest.substr(0, end + stop.size()).find(stop);
      if (found > end) continue;
      end = found;
      completion.finish = icpi::FinishReason::stop;
    }
    completion.text = longest.substr(0, end);
    completion.usage = {prompt.size(), 0, end};
    return completion;
  }

  /// What follows the most recent of the longest earlier matches of the prompt's end.
  static std::string_view continuation(std::string_view prompt) {
    std::size_t best = prompt.size();
    std::size_t best_length = 0;
    for (std::size_t at = prompt.size(); at-- > 1;) {
      std::size_t length = 0;
      while (length < at && prompt[at - 1 - length] == prompt[prompt.size() - 1 - length]) ++length;
      if (length > best_length) best = at, best_length = length;
    }
    return prompt.substr(best);
  }
};
static_assert(icpi::LanguageModel<RepeatingModel>);

int main() {
  icpi::Chain env;
  RepeatingModel model;
  icpi::PolicyIteration<icpi::Chain, RepeatingModel> agent(env, model, {.seed = 1});
  agent.train(env, {.steps = 80});
  double total = 0;
  for (int episode = 0; episode < 20; ++episode) total += agent.evaluate(env);
  fmt::print("{} of 20 evaluation episodes reach the goal; {} of {} answers were invalid\n", total,
             agent.costs().invalid, agent.costs().lm_calls);
}
