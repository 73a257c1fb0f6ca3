// SPDX-License-Identifier: MIT
#include "answer_comparison.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "percent.hpp"

namespace icpi::program {

namespace {

struct Column {
  std::string_view name;
  std::uint64_t AnswerComparison::Counts::*count;
};

using Counts = AnswerComparison::Counts;
constexpr std::array<Column, 8> columns{{{"questions", &Counts::questions},
                                         {"unanswered", &Counts::unanswered},
                                         {"recorded_valid", &Counts::recorded_valid},
                                         {"valid", &Counts::valid},
                                         {"equal", &Counts::equal},
                                         {"known", &Counts::known},
                                         {"recorded_right", &Counts::recorded_right},
                                         {"right", &Counts::right}}};

std::string row(std::string_view name, const Counts& counts) {
  const std::uint64_t answered = counts.questions - counts.unanswered;
  return fmt::format("{:<12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", name, counts.questions, answered,
                     percent(counts.recorded_valid, answered), percent(counts.valid, answered),
                     percent(counts.equal, answered), counts.known, percent(counts.recorded_right, counts.known),
                     percent(counts.right, counts.known));
}

}  // namespace

AnswerComparison::Counts& AnswerComparison::Counts::operator+=(const Counts& other) noexcept {
  for (const Column& column : columns) this->*column.count += other.*column.count;
  return *this;
}

void AnswerComparison::add(const RecordedQuestion& question, const Completion& answer) {
  Counts& counts = counts_[static_cast<std::size_t>(question.kind)];
  std::string& judged = judged_[static_cast<std::size_t>(question.kind)];
  ++counts.questions;
  judged += answer.error ? '?' : '-';
  if (answer.error) {
    ++counts.unanswered;
    return;
  }
  const auto meaning_of = [&](const Completion& completion) {
    return completion.error ? std::nullopt : reader_.meaning(question.kind, completion.text);
  };
  const auto recorded = meaning_of(question.answer);
  const auto asked = meaning_of(answer);
  counts.recorded_valid += recorded ? 1U : 0U;
  counts.valid += asked ? 1U : 0U;
  counts.equal += recorded && asked && *recorded == *asked ? 1U : 0U;
  const std::set<std::string>* happened = outcomes_.of(question);
  if (happened == nullptr) return;
  ++counts.known;
  counts.recorded_right += recorded && happened->contains(*recorded) ? 1U : 0U;
  const bool right = asked && happened->contains(*asked);
  counts.right += right ? 1U : 0U;
  judged.back() = right ? 'r' : 'w';
}

AnswerComparison::Counts AnswerComparison::total() const {
  Counts sum;
  for (const Counts& each : counts_) sum += each;
  return sum;
}

std::string AnswerComparison::table() const {
  std::string text = fmt::format("{:<12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "question", "asked",
                                 "answered", "valid:rec", "new", "equal", "known", "right:rec", "new");
  for (const QueryKind kind : all_query_kinds) {
    if (of(kind).questions > 0) text += row(name(kind), of(kind));
  }
  return text + row("all", total());
}

std::string AnswerComparison::json() const {
  std::string text = "{";
  for (const QueryKind kind : all_query_kinds) {
    if (kind == QueryKind::transition && of(kind).questions == 0) continue;  // of runs that ask so
    text += fmt::format("{}\"{}\":{{", text.size() > 1 ? "," : "", name(kind));
    for (std::size_t i = 0; i < columns.size(); ++i)
      text += fmt::format("{}\"{}\":{}", i > 0 ? "," : "", columns[i].name, of(kind).*columns[i].count);
    text += fmt::format(",\"judged\":\"{}\"}}", judged_[static_cast<std::size_t>(kind)]);
  }
  return text + "}";
}

}  // namespace icpi::program
