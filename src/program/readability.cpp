// SPDX-License-Identifier: MIT
#include "readability.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "printable.hpp"

namespace icpi::program {

namespace {

constexpr std::size_t examples = 3;
constexpr std::size_t longest_example = 60;

}  // namespace

void ReadabilityWatch::look(const QueryRecord& record) {
  if (record.completion == nullptr || record.completion->error) return;
  const std::lock_guard lock(mutex_);
  const bool unread = record.status == AnswerStatus::invalid || record.status == AnswerStatus::impossible;
  const std::string& text = record.completion->text;
  if (record.question.kind != QueryKind::transition) return count(record.question.kind, unread, text);
  for (std::size_t part = 0; part < record.parts; ++part) count(query_kinds[part], false, text);
  if (unread) count(query_kinds[record.parts], true, text);
}

void ReadabilityWatch::count(QueryKind which, bool unread, const std::string& text) {
  Kind& kind = kinds_[static_cast<std::size_t>(which)];
  if (kind.seen == looked_at) return;
  ++kind.seen;
  if (!unread) return;
  ++kind.invalid;
  if (kind.shown.size() < examples) kind.shown.push_back(text.substr(0, longest_example));
  if (2 * kind.invalid > looked_at) hopeless_ = true;
}

std::string ReadabilityWatch::report() const {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const Kind& kind = kinds_[i];
    if (2 * kind.invalid <= looked_at) continue;
    std::vector<std::string> quoted;
    for (const std::string& text : kind.shown) quoted.push_back(fmt::format("'{}'", printable_line(text)));
    return fmt::format(
        "{} of the first {} answers about the {} could not be read, as {}: is --dialect right for this model? Chat "
        "models may do better with --chat-style turns, or with other words in --instruction. `icpi show` prints what "
        "was asked; --keep-going goes on all the same",
        kind.invalid, kind.seen, name(query_kinds[i]), fmt::join(quoted, ", "));
  }
  return {};
}

}  // namespace icpi::program
