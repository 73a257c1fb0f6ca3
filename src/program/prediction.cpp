// SPDX-License-Identifier: MIT
#include "prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "icpi/models/model_decorator.hpp"
#include "model_sources.hpp"
#include "prices.hpp"

namespace icpi::program {

namespace {

/// One seed's spending, times the number of seeds.
Spending predict(const PlannedRun& run) {
  if (!asks_model(run.request.method.kind)) return {};
  RunRequest one = run.request;
  one.seeds.last = one.seeds.first + 1;
  one.jobs = 1;
  one.model = stand_in(*run.domain, run.request.method.hints);
  const Costs costs = run.domain->run(one, [](const EpisodeRecord&) {});
  const std::uint64_t seeds = run.request.seeds.size();
  // Nothing is taken as cached: servers differ.
  return {costs.lm_calls * seeds, {costs.prompt_tokens * seeds, 0, costs.completion_tokens * seeds}};
}

/// A model, and how often it is asked.
class CountedRounds : public ModelDecorator<AnyLanguageModel> {
 public:
  CountedRounds(AnyLanguageModel model, std::size_t& rounds) : ModelDecorator(std::move(model)), rounds_(&rounds) {}
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    ++*rounds_;
    model_.complete(requests, completions);
  }

 private:
  std::size_t* rounds_;
};

class Table {
 public:
  explicit Table(bool priced) : priced_(priced) {
    line("domain", "agent", "seeds", "LM calls", "prompt tokens", "completion tokens", "cost");
  }
  void add(std::string_view domain, std::string_view agent, const std::string& seeds, const Spending& spending,
           double cost) {
    line(domain, agent, seeds, spending.calls, spending.usage.prompt_tokens, spending.usage.completion_tokens,
         fmt::format("{:.4g}", cost));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  template <class Count>
  void line(std::string_view domain, std::string_view agent, std::string_view seeds, Count calls, Count prompt_tokens,
            Count completion_tokens, std::string_view cost) {
    text_ += fmt::format("{:<18}{:<24}{:>6}{:>12}{:>16}{:>18}", domain, agent, seeds, calls, prompt_tokens,
                         completion_tokens);
    if (priced_) text_ += fmt::format("{:>12}", cost);
    text_ += '\n';
  }

  bool priced_;
  std::string text_;
};

std::string passed_limits(const Spending& total, double cost, const Budget& budget) {
  std::string text;
  if (budget.calls > 0 && total.calls > budget.calls)
    text += fmt::format("--max-calls {} will stop it before the end.\n", budget.calls);
  if (budget.tokens > 0 && total.tokens() > budget.tokens)
    text += fmt::format("--max-total-tokens {} will stop it before the end.\n", budget.tokens);
  if (budget.money > 0 && cost > budget.money)
    text += fmt::format("--max-cost {} will stop it before the end.\n", budget.money);
  return text;
}

/// Why the seed that was played asked nothing.
std::string why_silent(const PlannedRun& run) {
  const Method& method = run.request.method;
  if (method.kind == AgentKind::icpi && !method.settings.warms_up)
    return "what was never tried is hoped for, and what was seen is recalled, without a question";
  return fmt::format(
      "the agent acts at random until its first successes (warm-up), and seed {} has none within {} steps",
      run.request.seeds.first, run.request.steps);
}

}  // namespace

std::string predict_costs(const std::vector<PlannedRun>& runs, const Budget& budget) {
  Table table(std::any_of(runs.begin(), runs.end(), [](const PlannedRun& run) { return has_price(run.prices); }));
  Spending total;
  double total_cost = 0;
  std::string silent;
  for (const PlannedRun& run : runs) {
    const Method& method = run.request.method;
    const std::string domain(run.domain->facts().name);
    const Spending spending = predict(run);
    const double cost = run.prices.cost(spending.usage);
    table.add(domain, method.label, fmt::to_string(run.request.seeds.size()), spending, cost);
    total_cost += cost;
    total.calls += spending.calls;
    total.usage += spending.usage;
    if (asks_model(method.kind) && spending.calls == 0)
      silent += fmt::format("{} {}: 0 calls, because {}; other seeds and longer runs may ask.\n", domain, method.label,
                            why_silent(run));
  }
  table.add("total", "", "", total, total_cost);
  const bool oracle = runs.empty() || runs.front().domain->has_oracle();
  return table.text() + silent + passed_limits(total, total_cost, budget) +
         fmt::format(
             "Predicted from one seed of each played with {} in the model's place; tokens are estimated from the "
             "length of the texts, none of them cached.\n",
             oracle ? "the oracle" : "the embedded model");
}

std::string predict_rounds(const PlannedRun& run) {
  std::size_t rounds = 0;
  RunRequest request = run.request;
  request.jobs = 1;
  const ModelFactory make = stand_in(*run.domain, run.request.method.hints);
  request.model = [&] { return AnyLanguageModel(CountedRounds(make(), rounds)); };
  (void)run.domain->run(request, [](const EpisodeRecord&) {});
  return fmt::format(
      "batches: about {0} of them, one after the other, since each asks what follows from the answers to the one "
      "before; a service takes up to 24 hours for a batch, which makes up to {0} days",
      rounds);
}

}  // namespace icpi::program
