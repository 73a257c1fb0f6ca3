// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answer_comparison.hpp"
#include "batch_service.hpp"
#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"
#include "interrupt.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "recorded_questions.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

constexpr std::size_t questions_at_a_time = 256;  // between two looks at what was interrupted

/// The questions' texts for a model: prefixes that extend each other are told as such, for servers that keep them.
class Requests {
 public:
  explicit Requests(std::span<const RecordedQuestion> questions)
      : stops_(questions.size()), choices_(questions.size()) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      requests_.push_back(questions[i].request(stops_[i], choices_[i]));
      requests_.back().prefix.identity = identity_of(questions[i].prefix);
    }
  }
  [[nodiscard]] std::span<const CompletionRequest> all() const { return requests_; }

 private:
  std::uint64_t identity_of(std::string_view prefix) {
    if (prefix.empty()) return 0;
    for (auto& [text, identity] : known_) {
      if (!text.starts_with(prefix) && !prefix.starts_with(text)) continue;
      if (prefix.size() > text.size()) text = prefix;
      return identity;
    }
    return known_.emplace_back(prefix, new_prefix_identity()).second;
  }

  std::vector<std::vector<std::string_view>> stops_;
  std::vector<std::vector<std::string_view>> choices_;
  std::vector<std::pair<std::string_view, std::uint64_t>> known_;
  std::vector<CompletionRequest> requests_;
};

/// Puts all questions to the model; the first failure is told.
std::string put(std::vector<RecordedQuestion>& questions, AnyLanguageModel& model, AnswerComparison& comparison) {
  Progress progress(questions.size());
  std::string failure;
  for (std::size_t done = 0; done < questions.size(); done += questions_at_a_time) {
    if (interrupting_signal() != 0) throw Interrupted("interrupted");
    const std::span some = std::span(questions).subspan(done, std::min(questions_at_a_time, questions.size() - done));
    const Requests requests(some);
    std::vector<Completion> answers(some.size());
    model.complete(requests.all(), answers);
    for (std::size_t i = 0; i < some.size(); ++i) {
      comparison.add(some[i], answers[i]);
      if (answers[i].error && failure.empty()) failure = answers[i].error.message;
    }
    if (interrupting_signal() != 0 && !failure.empty()) throw Interrupted("interrupted");
    progress.advance(some.size());
  }
  return failure;
}

/// The same through a batch service.
std::string put_batch(BatchService& service, const BatchChoice& choice, const std::vector<RecordedQuestion>& questions,
                      BudgetAccount& account, AnswerComparison& comparison) {
  const Requests requests(questions);
  Progress progress(questions.size());
  const auto answers = answers_of_batch(service, account, choice, requests.all());
  std::string failure;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    comparison.add(questions[i], answers[i]);
    if (answers[i].error && failure.empty()) failure = answers[i].error.message;
  }
  return failure;
}

bool knows_any(const QuestionReader& reader, const std::vector<RecordedQuestion>& questions) {
  std::vector<std::string_view> stops;
  std::vector<std::string_view> choices;
  return std::any_of(questions.begin(), questions.end(),
                     [&](const RecordedQuestion& each) { return reader.knows(each.request(stops, choices)); });
}

/// Throws InvalidArgument when no question is one of this domain, naming the one of which they are.
void check_domain(const AskArguments& arguments, const QuestionReader& reader,
                  const std::vector<RecordedQuestion>& questions) {
  if (knows_any(reader, questions)) return;
  std::string others;
  for (const DomainProgram* each : all_domain_programs())
    for (const bool hints : {true, false})
      if (knows_any(*each->make_question_reader(hints), questions))
        others += fmt::format("{}--domain {}{}", others.empty() ? "" : " or ", each->facts().name,
                              hints ? "" : " --no-hints");
  throw InvalidArgument(fmt::format("--recording '{}' asks nothing about --domain {}{}: {}", arguments.recording,
                                    arguments.domain, arguments.no_hints ? " --no-hints" : "",
                                    others.empty() ? "nor about any other" : "it is of " + others));
}

/// Turns are made of examples. Throws InvalidArgument when nobody wrote down where they are.
void check_borders(const AskArguments& arguments, const std::vector<RecordedQuestion>& questions) {
  const auto has_examples = [](const RecordedQuestion& each) { return !each.examples.empty(); };
  if (arguments.model.http.chat_style == "turns" && std::none_of(questions.begin(), questions.end(), has_examples))
    throw InvalidArgument(
        fmt::format("--chat-style turns: '{}' does not say where examples begin and end, as an earlier version wrote "
                    "it; record it anew",
                    arguments.recording));
}

}  // namespace

void ask(const AskArguments& arguments, std::ostream& out) {
  if (arguments.recording.empty()) throw InvalidArgument("--recording is missing: a file that train --record wrote");
  if (arguments.domain.empty()) throw InvalidArgument("--domain is missing: the one whose run was recorded");
  const DomainProgram& domain = domain_program(arguments.domain);
  const auto most = arguments.most.empty() ? std::numeric_limits<std::size_t>::max()
                                           : parse_count("--most", arguments.most, 1, 1U << 30U);
  const auto reader = domain.make_question_reader(!arguments.no_hints);
  std::vector<RecordedQuestion> questions = read_questions(arguments.recording, *reader, most);
  check_domain(arguments, *reader, questions);
  check_borders(arguments, questions);
  if (!arguments.max_tokens.empty()) {
    const auto limit = parse_count("--max-tokens", arguments.max_tokens, 1, 1U << 20U);
    for (RecordedQuestion& each : questions) each.sampling.max_tokens = static_cast<int>(limit);
  }
  const auto ledger = std::make_shared<ModelLedger>(arguments.model);
  ModelFactory make;
  const BatchChoice& batch = arguments.model.batch;
  if (!batch.file.empty() && !arguments.model.cache.empty()) throw InvalidArgument("--batch does not go with --cache");
  if (batch.file.empty()) make = model_factory(arguments.model, domain, !arguments.no_hints, ledger);
  if (batch.file.empty()) check_answer_files(arguments.model);
  const std::unique_ptr<FreshFile> counts = json_file(arguments.json);
  watch_signals();
  const SeenOutcomes outcomes(questions, *reader);
  AnswerComparison comparison(*reader, outcomes);
  std::string failure;
  std::string model_name;
  if (make) {
    AnyLanguageModel model = make();
    model_name = model.identity();
    failure = telling_costs(*ledger, out, [&] { return put(questions, model, comparison); });
  } else {
    const auto service = make_batch_service(arguments.model);
    model_name = service->identity();
    failure = telling_costs(*ledger, out,
                            [&] { return put_batch(*service, batch, questions, *ledger->account(), comparison); });
  }
  fmt::print(out, "{}{}", comparison.table(), ledger->report());
  if (counts) {
    const Spending spent = ledger->account()->spent();
    JsonLine line;
    line.add("recording", arguments.recording).add("domain", arguments.domain).add("model", model_name);
    line.add("calls", spent.calls).add("prompt_tokens", spent.usage.prompt_tokens);
    line.add("cached_tokens", spent.usage.cached_tokens).add("completion_tokens", spent.usage.completion_tokens);
    line.add_raw("kinds", comparison.json());
    counts->text().write(line.str() + "\n");
    counts->take_place();
  }
  if (const auto unanswered = comparison.total().unanswered; unanswered > 0)
    throw Error(fmt::format("{} of {} questions got no answer; the first: {}", unanswered, questions.size(),
                            printable_line(failure)));
}

}  // namespace icpi::program
