// SPDX-License-Identifier: MIT
#include "assessment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "icpi/core/json_line.hpp"
#include "interrupt.hpp"
#include "percent.hpp"
#include "prices.hpp"
#include "progress.hpp"

namespace icpi::program {

namespace {

constexpr auto number_of(QueryKind kind) { return static_cast<std::size_t>(kind); }

/// The questions about the steps, and which of them each is about.
class Questions {
 public:
  Questions(const StepQuestions& asked, bool whole) : steps_(asked.steps), key_(asked.key) {
    const auto wanted = [&](QueryKind kind) {
      return std::find(asked.kinds.begin(), asked.kinds.end(), kind) != asked.kinds.end();
    };
    std::set<std::pair<std::uint32_t, ObservationId>> policies;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const StepToPredict& step = steps_[i];
      const bool goes_on = !step.results.front().terminated;
      const std::array about{wanted(QueryKind::termination), wanted(QueryKind::reward) && step.knows_reward,
                             wanted(QueryKind::observation) && goes_on && step.knows_next};
      if (whole && std::find(about.begin(), about.end(), true) != about.end()) add(i, QueryKind::transition);
      for (std::size_t kind = 0; kind < about.size() && !whole; ++kind)
        if (about[kind]) add(i, query_kinds[kind]);
      if (wanted(QueryKind::action) && policies.emplace(step.prompt_context, step.observation).second)
        add(i, QueryKind::action);
    }
  }
  [[nodiscard]] std::span<const Question> all() const { return questions_; }
  [[nodiscard]] const StepToPredict& step(std::size_t question) const { return steps_[about_[question]]; }

 private:
  void add(std::size_t step, QueryKind kind) {
    Question& question = questions_.emplace_back();
    question.kind = kind;
    question.terminated = kind == QueryKind::reward && steps_[step].results.front().terminated;
    question.prompt_context = steps_[step].prompt_context;
    question.action = steps_[step].action;
    question.observation = steps_[step].observation;
    question.key = key_.child(questions_.size());
    about_.push_back(step);
  }

  std::span<const StepToPredict> steps_;
  RandomKey key_;
  std::vector<Question> questions_;
  std::vector<std::size_t> about_;
};

template <class Matches>
bool any_result(const StepToPredict& step, Matches&& matches) {
  return std::any_of(step.results.begin(), step.results.end(), matches);
}

/// Compares an answer with what came of the step, and with what may come of it.
void compare(const Question& question, const Answer& answer, const StepToPredict& step, const ObservationTexts& text,
             AssessedRow& row) {
  const StepResult& came = step.results.front();
  const bool whole = question.kind == QueryKind::transition;
  const bool valid = answer.status == AnswerStatus::valid;
  if (whole || question.kind == QueryKind::termination) {
    const bool read = valid || (whole && answer.parts > 0);
    row.termination.add(read &&
                        any_result(step, [&](const StepResult& each) { return each.terminated == answer.terminated; }));
    row.commonest_termination.add(step.commonest.terminated == came.terminated);
  }
  const auto like = [&](const StepResult& each) { return each.terminated == came.terminated; };
  if ((whole && step.knows_reward) || question.kind == QueryKind::reward) {
    const bool read = valid || (whole && answer.parts > 1);
    row.reward.add(
        read && any_result(step, [&](const StepResult& each) { return like(each) && each.reward == answer.reward; }));
    row.commonest_reward.add(step.commonest.reward == came.reward);
  }
  if ((whole && !came.terminated && step.knows_next) || question.kind == QueryKind::observation) {
    const bool read = valid && (!whole || answer.parts > 2);
    row.observation.add(read && any_result(step, [&](const StepResult& each) {
                          return like(each) && each.observation == text(question.prompt_context, answer.observation);
                        }));
  }
}

std::string cell(const RightAnswers& answers) {
  return answers.all == 0
             ? "-"
             : fmt::format("{:.3f}", static_cast<double>(answers.right) / static_cast<double>(answers.all));
}

std::string cell(const RightAnswers& answers, const RightAnswers& commonest) {
  return answers.all == 0 ? "-" : fmt::format("{} ({})", cell(answers), cell(commonest));
}

/// Which questions got no answer.
std::string without_answer(const std::array<AssessedKind, all_query_kinds.size()>& kinds) {
  std::string out = "Without an answer, and counted nowhere above:";
  std::string_view comma;
  for (const QueryKind kind : all_query_kinds) {
    const AssessedKind& counts = kinds[number_of(kind)];
    if (counts.unanswered > 0)
      out += fmt::format("{} {} {} of {}", std::exchange(comma, ","), name(kind), counts.unanswered, counts.asked);
  }
  return out + ".\n";
}

std::string right_json(const RightAnswers& answers) {
  return JsonLine().add("right", answers.right).add("of", answers.all).add("judged", answers.judged).str();
}

}  // namespace

void CommonResults::add(const StepResult& result) { ++rewards_[result.terminated ? 1 : 0][result.reward]; }

StepResult CommonResults::commonest(bool terminated) const {
  std::array<std::size_t, 2> counts{};
  for (std::size_t ended = 0; ended < 2; ++ended)
    for (const auto& [reward, count] : rewards_[ended]) counts[ended] += count;
  StepResult result;
  result.terminated = counts[1] > counts[0];
  std::size_t most = 0;
  for (const auto& [reward, count] : rewards_[terminated ? 1 : 0]) {
    if (count <= most) continue;
    most = count;
    result.reward = reward;
  }
  return result;
}

void put_questions(PromptedRolloutModel& model, const StepQuestions& asked, const ObservationTexts& text,
                   Assessment& assessment) {
  const std::span<const StepToPredict> steps = asked.steps;
  const Questions questions(asked, !steps.empty() && model.whole_transitions(0));
  const std::size_t last = assessment.rows.empty() ? 0 : assessment.rows.back().episodes;
  const auto episodes_of = [&](std::uint32_t context) {
    const auto found = std::find_if(steps.begin(), steps.end(),
                                    [&](const StepToPredict& each) { return each.prompt_context == context; });
    return assessment.rows[found->row].episodes;
  };
  model.observe_queries([&](const QueryRecord& record) {
    if (record.completion == nullptr) return;
    const bool late = episodes_of(record.question.prompt_context) == last;
    for (auto* kinds : {&assessment.kinds, &assessment.last_kinds}) {
      if (kinds == &assessment.last_kinds && !late) continue;
      AssessedKind& kind = (*kinds)[number_of(record.question.kind)];
      ++kind.asked;
      kind.readable += record.status == AnswerStatus::valid ? 1U : 0U;
      kind.unanswered += record.status == AnswerStatus::failed ? 1U : 0U;
      kind.usage += record.completion->usage;
    }
    if (record.status == AnswerStatus::failed && assessment.failure.empty())
      assessment.failure = record.completion->error.message;
  });
  Progress progress(questions.all().size());
  std::vector<Answer> answers;
  for (std::size_t first = 0; first < questions.all().size(); first += answers.size()) {
    if (interrupting_signal() != 0) throw Interrupted("interrupted");
    const auto some = questions.all().subspan(first, std::min(asked.at_a_time, questions.all().size() - first));
    answers.assign(some.size(), {});
    model.answer(some, answers);
    // Then those that were under way have no answer.
    if (interrupting_signal() != 0 && assessment.unanswered() > 0) throw Interrupted("interrupted");
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (answers[i].status == AnswerStatus::failed || some[i].kind == QueryKind::action) continue;
      const StepToPredict& step = questions.step(first + i);
      compare(some[i], answers[i], step, text, assessment.rows[step.row]);
    }
    progress.advance(some.size());
  }
  model.observe_queries({});
}

std::uint64_t Assessment::unanswered() const {
  return std::accumulate(kinds.begin(), kinds.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const AssessedKind& kind) { return sum + kind.unanswered; });
}

double Assessment::questions_per_decision() const {
  const auto sum = std::accumulate(decision_questions.begin(), decision_questions.end(), std::uint64_t{0});
  return decisions == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(decisions);
}

std::optional<Usage> Assessment::usage_per_decision() const {
  Usage sum;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const std::uint64_t answered = last_kinds[kind].asked - last_kinds[kind].unanswered;
    if (decision_questions[kind] == 0) continue;
    if (answered == 0) return std::nullopt;
    const double share =
        static_cast<double>(decision_questions[kind]) / static_cast<double>(decisions) / static_cast<double>(answered);
    const auto part = [share](std::uint64_t tokens) {
      return static_cast<std::uint64_t>(std::llround(share * static_cast<double>(tokens)));
    };
    const Usage& usage = last_kinds[kind].usage;
    sum += {part(usage.prompt_tokens), part(usage.cached_tokens), part(usage.completion_tokens),
            part(usage.written_tokens)};
  }
  return sum;
}

std::string Assessment::table(const TokenPrices& prices) const {
  std::string out = fmt::format("{}: {} with {}\n\n{:>8}  {:<14}{:>18}{:>18}{:>14}\n", environment, agent, model,
                                "episodes", "steps", "termination", "reward", "next seen");
  for (const AssessedRow& row : rows)
    out += fmt::format("{:>8}  {:<14}{:>18}{:>18}{:>14}\n", row.episodes,
                       fmt::format("{} {}", row.steps, row.seen ? "seen" : "new"),
                       cell(row.termination, row.commonest_termination), cell(row.reward, row.commonest_reward),
                       cell(row.observation));
  out +=
      "Right answers about steps that the first episodes show, and about new ones; in brackets, those of the\n"
      "commonest answer of all.\n\nAnswers that can be read:";
  std::string_view comma;
  for (const QueryKind kind : all_query_kinds) {
    const AssessedKind& counts = kinds[number_of(kind)];
    if (counts.asked == 0) continue;
    out += fmt::format("{} {} {} of {}", std::exchange(comma, ","), name(kind),
                       percent(counts.readable, counts.asked - counts.unanswered), counts.asked - counts.unanswered);
  }
  out += ".\n";
  if (unanswered() > 0) out += without_answer(kinds);
  out += fmt::format("Chance: {} of {} actions that were tried had different results where all else was equal.\n",
                     chancy_places, places);
  out += fmt::format("A decision: about {:.1f} questions, ", questions_per_decision());
  if (const auto usage = usage_per_decision()) {
    out += fmt::format("{} prompt tokens ({} of them cached), {} completion tokens", usage->prompt_tokens,
                       usage->cached_tokens, usage->completion_tokens);
    if (has_price(prices)) out += fmt::format(", cost {:.4g}", prices.cost(*usage));
  } else {
    out += "of unknown size, since questions of a kind that it asks have no answer here";
  }
  return out + fmt::format(",\nafter {} episodes, as often as the embedded model asks in {} decisions.\n",
                           rows.empty() ? 0 : rows.back().episodes, decisions);
}

std::string Assessment::json(const TokenPrices& prices) const {
  JsonLine line;
  line.add("environment", environment).add("agent", agent).add("model", model);
  line.add_list("rows", rows, [](const AssessedRow& row, std::string& out) {
    JsonLine item;
    item.add("episodes", row.episodes).add("seen", row.seen).add("steps", row.steps);
    for (const auto& [name, answers] :
         {std::pair("termination", &row.termination), std::pair("reward", &row.reward),
          std::pair("observation", &row.observation), std::pair("commonest_termination", &row.commonest_termination),
          std::pair("commonest_reward", &row.commonest_reward)})
      item.add_raw(name, right_json(*answers));
    out += item.str();
  });
  JsonLine answers;
  for (const QueryKind kind : all_query_kinds) {
    const AssessedKind& counts = kinds[number_of(kind)];
    if (counts.asked == 0) continue;
    JsonLine item;
    item.add("asked", counts.asked).add("readable", counts.readable).add("unanswered", counts.unanswered);
    item.add("prompt_tokens", counts.usage.prompt_tokens).add("cached_tokens", counts.usage.cached_tokens);
    item.add("completion_tokens", counts.usage.completion_tokens);
    answers.add_raw(name(kind), item.str());
  }
  line.add_raw("answers", answers.str()).add("places", places).add("chancy_places", chancy_places);
  JsonLine decision;
  decision.add("questions", questions_per_decision());
  if (const auto usage = usage_per_decision()) {
    decision.add("prompt_tokens", usage->prompt_tokens).add("cached_tokens", usage->cached_tokens);
    decision.add("completion_tokens", usage->completion_tokens);
    if (has_price(prices)) decision.add("cost", prices.cost(*usage));
  }
  return line.add_raw("decision", decision.str()).str();
}

}  // namespace icpi::program
