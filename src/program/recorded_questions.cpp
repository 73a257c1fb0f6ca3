// SPDX-License-Identifier: MIT
#include "recorded_questions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "icpi/core/checked_lines.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/models/completion_record.hpp"

namespace icpi::program {

namespace {

std::vector<std::string> read_texts(const Json* list) {
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  for (const Json& each : list->array()) texts.push_back(each.string());
  return texts;
}

/// See completion_record(): none in recordings of earlier versions.
void read_borders(const Json* list, RecordedQuestion& question) {
  if (list == nullptr) return;
  const auto& borders = list->array();
  if (borders.size() % 3 != 1) throw InvalidArgument("\"borders\" are three an example and one more");
  for (std::size_t i = 0; i + 3 < borders.size(); i += 3)
    question.examples.push_back({borders[i].integer<std::uint32_t>(), borders[i + 1].integer<std::uint32_t>(),
                                 borders[i + 2].integer<std::uint32_t>()});
  question.question = borders.back().integer<std::size_t>();
}

RecordedQuestion read_question(const Json& json) {
  if (json.find("query") == nullptr) throw InvalidArgument("it was recorded without prompts");
  RecordedQuestion question;
  question.prefix = json["prefix"].string();
  question.query = json["query"].string();
  read_borders(json.find("borders"), question);
  question.stop = read_texts(json.find("stop"));
  question.choices = read_texts(json.find("choices"));
  question.sampling = {.temperature = {}, .top_p = {}, .max_tokens = {}};
  if (const Json* set = json.find("temperature")) question.sampling.temperature = set->number();
  if (const Json* set = json.find("top_p")) question.sampling.top_p = set->number();
  if (const Json* set = json.find("max_tokens")) question.sampling.max_tokens = set->integer<int>();
  if (const Json* set = json.find("seed")) question.seed = set->integer<std::uint64_t>();
  question.sample_index = json["sample"].integer<std::uint32_t>();
  if (const Json* wanted = json.find("want_logprobs")) question.want_logprobs = wanted->boolean();
  question.answer = detail::read_answer(json).completion;
  return question;
}

/// Without the blank lines that part examples.
std::string_view begun(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
  return text;
}

}  // namespace

CompletionRequest RecordedQuestion::request(std::vector<std::string_view>& stops,
                                            std::vector<std::string_view>& listed) const {
  stops.assign(stop.begin(), stop.end());
  listed.assign(choices.begin(), choices.end());
  CompletionRequest result;
  result.prefix.text = prefix;
  result.query = query;
  result.examples = examples;
  result.question = question;
  result.stop = stops;
  result.choices = listed;
  result.sampling = sampling;
  result.seed = seed;
  result.sample_index = sample_index;
  result.want_logprobs = want_logprobs;
  return result;
}

std::vector<RecordedQuestion> read_questions(const std::string& file, QuestionReader& reader, std::size_t most) {
  detail::CheckedLines lines(file, fmt::format("--recording '{}'", file), detail::LineOrder::free);
  std::vector<RecordedQuestion> questions;
  std::set<RequestFingerprint> known;
  std::vector<std::string_view> stops;
  std::vector<std::string_view> choices;
  lines.for_each([&](const Json& line) {
    RecordedQuestion question = read_question(line);
    if (!known.insert(detail::read_answer(line).request).second) return true;
    question.kind = reader.kind(question.request(stops, choices));
    questions.push_back(std::move(question));
    return questions.size() < most;
  });
  if (questions.empty()) throw InvalidArgument(fmt::format("--recording '{}' holds no question", file));
  return questions;
}

SeenOutcomes::SeenOutcomes(const std::vector<RecordedQuestion>& questions, const QuestionReader& reader)
    : reader_(reader) {
  std::array<std::set<std::string>, all_query_kinds.size()> asked;
  std::set<std::pair<QueryKind, std::string_view>> prefixes;
  for (const RecordedQuestion& question : questions) {
    if (question.kind == QueryKind::action) continue;
    asked[static_cast<std::size_t>(question.kind)].emplace(begun(question.query));
    prefixes.emplace(question.kind, question.prefix);
  }
  for (const auto& [kind, prefix] : prefixes) read_examples(kind, prefix, asked[static_cast<std::size_t>(kind)]);
}

void SeenOutcomes::read_examples(QueryKind kind, std::string_view prefix, const std::set<std::string>& asked) {
  auto& outcomes = outcomes_[static_cast<std::size_t>(kind)];
  while (!(prefix = begun(prefix)).empty()) {
    const std::size_t end = std::min(prefix.find("\n\n"), prefix.size());
    const std::string example = std::string(prefix.substr(0, end)) + (end < prefix.size() ? "\n" : "");
    prefix.remove_prefix(end);
    for (std::size_t line = example.find('\n'); line != std::string::npos; line = example.find('\n', line + 1)) {
      std::string question = example.substr(0, line + 1);
      if (!asked.contains(question)) continue;
      const auto meaning = reader_.meaning(kind, std::string_view(example).substr(line + 1));
      if (meaning) outcomes[std::move(question)].insert(*meaning);
      break;
    }
  }
}

const std::set<std::string>* SeenOutcomes::of(const RecordedQuestion& question) const {
  const auto& outcomes = outcomes_[static_cast<std::size_t>(question.kind)];
  const auto found = outcomes.find(begun(question.query));
  return found == outcomes.end() ? nullptr : &found->second;
}

}  // namespace icpi::program
