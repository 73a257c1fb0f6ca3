// SPDX-License-Identifier: MIT
#include "decision_report.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <array>

#include "printable.hpp"

namespace icpi::program {

namespace {

constexpr std::size_t shown_lines = 12;
constexpr std::array<std::string_view, 4> status_names{"valid", "INVALID", "impossible", "FAILED"};
constexpr std::array<std::string_view, 5> end_names{"running", "terminal step", "step limit", "invalid prediction",
                                                    "model failure"};

/// The text on one line: newlines between words become " / ".
std::string on_one_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::string line;
  for (const char each : printable(text)) line += each == '\n' ? std::string(" / ") : std::string(1, each);
  return line;
}

/// Where the last `lines` lines of the text begin.
std::size_t tail_begin(std::string_view text, std::size_t lines) {
  std::size_t at = text.size();
  while (at > 0 && lines > 0) {
    at = at == 1 ? std::string_view::npos : text.rfind('\n', at - 2);
    if (at == std::string_view::npos) return 0;
    ++at;
    --lines;
  }
  return at;
}

void print_indented(std::ostream& out, std::string_view text, std::string_view margin) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    fmt::print(out, "{}{}\n", margin, printable(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

void DecisionReport::begin(std::string_view domain, std::string_view model, std::size_t episodes,
                           std::string_view observation) {
  fmt::print(out_, "{} after {} episodes, model {}\nobservation: {}\n", domain, episodes, model,
             on_one_line(observation));
}

void DecisionReport::query(const QueryRecord& record, std::string_view observation,
                           const std::vector<std::string>& actions) {
  const Question& question = record.question;
  fmt::print(out_, "\nquery {}: {}", ++queries_, name(question.kind));
  if (question.kind == QueryKind::reward) fmt::print(out_, " (of a {} step)", question.terminated ? "last" : "middle");
  if (question.attempt > 0) fmt::print(out_, ", attempt {}", question.attempt + 1);
  fmt::print(out_, "\n  at: {}\n", on_one_line(observation));
  if (question.kind != QueryKind::action) fmt::print(out_, "  do: {}\n", on_one_line(actions[question.action]));
  const auto lines = std::count(record.prefix.begin(), record.prefix.end(), '\n');
  const auto first = whole_prompts_ ? 0 : tail_begin(record.prefix, shown_lines);
  fmt::print(out_, "  prompt, {} lines", lines);
  if (first > 0) fmt::print(out_, ", the last {} of them (--whole-prompts shows all)", shown_lines);
  fmt::print(out_, ":\n");
  print_indented(out_, record.prefix.substr(first), "  | ");
  print_indented(out_, record.query, "  > ");
  std::string status(status_names[static_cast<std::size_t>(record.status)]);
  const bool reads_parts = question.kind == QueryKind::transition && record.completion != nullptr;
  if (reads_parts && !record.completion->error && record.status != AnswerStatus::valid)
    status += fmt::format(" at its {}", name(query_kinds[record.parts]));
  if (record.completion == nullptr) {
    fmt::print(out_, "  answer: {}, without asking the model\n", status);
  } else if (record.completion->error) {
    fmt::print(out_, "  answer: {} ({}: {})\n", status, name(record.completion->error.category),
               on_one_line(record.completion->error.message));
  } else {
    print_indented(out_, record.completion->thought, "  ~ ");
    print_indented(out_, record.completion->text, "  = ");
    fmt::print(out_, "  answer: {}, {} prompt tokens ({} kept), {} new\n", status,
               record.completion->usage.prompt_tokens, record.completion->usage.cached_tokens,
               record.completion->usage.completion_tokens);
  }
}

void DecisionReport::rollouts(const Decision& decision, std::span<const Rollout> rollouts,
                              const std::vector<std::string>& actions,
                              const std::function<std::string(ObservationId)>& text) {
  if (!decision.by_model || decision.returns.empty()) return;
  for (const Rollout& rollout : rollouts) {
    fmt::print(out_, "\nrollout {} of action {}: return {:.4g}, ended by {}\n", rollout.start().sample + 1,
               on_one_line(actions[rollout.start().action]), rollout.value(),
               end_names[static_cast<std::size_t>(rollout.end())]);
    for (const ImaginedStep& step : rollout.steps()) {
      fmt::print(out_, "  {}\n    {}  ->  reward {:.4g}{}\n", on_one_line(text(step.observation)),
                 on_one_line(actions[step.action]), step.reward, step.terminated ? ", the end" : "");
    }
  }
}

void DecisionReport::planned(std::span<const PlannedStep> steps, const std::vector<std::string>& actions,
                             const std::function<std::string(ObservationId)>& text) {
  if (!steps.empty()) fmt::print(out_, "\nplanned on {} imagined steps:\n", steps.size());
  for (const PlannedStep& step : steps) {
    fmt::print(out_, "  {}\n    {}  ->  ", on_one_line(text(step.observation)), on_one_line(actions[step.action]));
    if (!step.known) {
      fmt::print(out_, "unknown\n");
    } else if (step.terminated) {
      fmt::print(out_, "reward {:.4g}, the end\n", step.reward);
    } else {
      fmt::print(out_, "reward {:.4g}, {}\n", step.reward,
                 step.goes_on ? on_one_line(text(step.next)) : "and what then is unknown");
    }
  }
}

void DecisionReport::decision(const Decision& decision, const std::vector<std::string>& actions) {
  fmt::print(out_, "\nvalues:\n");
  for (std::size_t action = 0; action < actions.size(); ++action) {
    const bool chosen = action == decision.action;
    const std::string value =
        decision.values.empty() ? std::string("-") : fmt::format("{:.4g}", decision.values[action]);
    fmt::print(out_, "  {} {:>8}  {}\n", chosen ? '*' : ' ', value, on_one_line(actions[action]));
  }
  if (!decision.by_model)
    fmt::print(out_, "chosen at random: not every prompt can be filled yet (more --episodes help)\n");
  const Costs& costs = decision.costs;
  fmt::print(out_,
             "costs: {} LM calls in {} rounds, {} prompt tokens ({} computed), {} completion tokens, {} retries, {} "
             "invalid, {} failed\n",
             costs.lm_calls, costs.rounds, costs.prompt_tokens, costs.computed_tokens(), costs.completion_tokens,
             costs.retries, costs.invalid, costs.failures);
}

}  // namespace icpi::program
