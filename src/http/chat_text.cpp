// SPDX-License-Identifier: MIT
#include "chat_text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace icpi::http {

namespace {

constexpr std::string_view fence = "```";

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_break(char c) { return c == '\n' || c == '\r'; }

/// Newlines with the blanks before them; after the last one, blanks only where a line begins.
void drop_front(std::string_view& text, bool line_begins) {
  std::size_t kept = 0;
  std::size_t at = 0;
  while (at < text.size() && (is_blank(text[at]) || is_break(text[at]))) {
    ++at;
    if (is_break(text[at - 1]) || line_begins) kept = at;
  }
  text.remove_prefix(kept);
}

void drop_blanks_at_end(std::string_view& text) {
  while (!text.empty() && (is_blank(text.back()) || is_break(text.back()))) text.remove_suffix(1);
}

/// Whether there was a fence. One that is not closed ends with the text.
bool drop_fence(std::string_view& text) {
  std::string_view inner = text;
  while (!inner.empty() && is_blank(inner.front())) inner.remove_prefix(1);
  if (!inner.starts_with(fence)) return false;
  const std::size_t line = inner.find('\n');
  const std::size_t closing = inner.find(fence, fence.size());
  if (line == std::string_view::npos || closing < line) {  // on one line: ```answer```
    inner = inner.substr(fence.size(), closing == std::string_view::npos ? closing : closing - fence.size());
  } else {
    inner = inner.substr(line + 1, closing == std::string_view::npos ? closing : closing - line - 1);
  }
  text = inner;
  return true;
}

/// The word that a text begins with.
std::string_view first_word(std::string_view text) { return text.substr(0, text.find_first_of(" \t\r\n(=:,")); }

/// How the answers of the prompt's examples begin.
class Beginnings {
 public:
  Beginnings(std::string_view prompt, const CompletionRequest& request) {
    for (const PromptExample& each : request.examples)
      if (each.answer < each.end && each.end <= prompt.size())
        words_.push_back(first_word(prompt.substr(each.answer, each.end - each.answer)));
  }
  /// Whether `inner` begins like an answer, and `outer` does not: then there is no doubt about what is the answer.
  [[nodiscard]] bool tell(std::string_view inner, std::string_view outer) const { return has(inner) && !has(outer); }

 private:
  [[nodiscard]] bool has(std::string_view text) const {
    const std::string_view word = first_word(text);
    return !word.empty() && std::find(words_.begin(), words_.end(), word) != words_.end();
  }

  std::vector<std::string_view> words_;
};

/// Takes what is in the only fence of a text with words around it. Whether there was one.
bool drop_words_around_fence(std::string_view& text, const Beginnings& beginnings) {
  const std::size_t open = text.find(fence);
  if (open == std::string_view::npos || open == 0 || text[open - 1] != '\n') return false;
  const std::size_t close = text.find(fence, open + fence.size());
  if (close == std::string_view::npos || text.find(fence, close + fence.size()) != std::string_view::npos) return false;
  std::string_view inner = text.substr(open);
  drop_fence(inner);
  drop_front(inner, true);
  if (!beginnings.tell(inner, text)) return false;
  text = inner;
  return true;
}

/// Whether the text stood in one pair of marks.
bool drop_quotes(std::string_view& text, const Beginnings& beginnings) {
  std::string_view whole = text;
  drop_blanks_at_end(whole);
  for (const std::string_view mark : {"\"", "'", "`", "**"}) {
    if (whole.size() < 2 * mark.size() || !whole.starts_with(mark) || !whole.ends_with(mark)) continue;
    const std::string_view inner = whole.substr(mark.size(), whole.size() - 2 * mark.size());
    if (inner.find(mark) != std::string_view::npos || !beginnings.tell(inner, text)) continue;
    text = inner;
    return true;
  }
  return false;
}

/// Takes off what the text begins with and the prompt ends with: the whole prompt, else the question's last lines, else
/// the last examples with the question. Whether there was any. An answer of an example is no beginning: models go on with
/// records, and the right answer may be the one before, once more.
bool drop_repetition(std::string_view& text, std::string_view prompt, const CompletionRequest& request) {
  const auto drop_from = [&](std::size_t begin) {
    const std::string_view run = prompt.substr(begin);
    if (run.find_first_not_of(" \t\r\n") == std::string_view::npos || !text.starts_with(run)) return false;
    text.remove_prefix(run.size());
    return true;
  };
  if (drop_from(0)) return true;
  for (std::size_t line = std::min(request.question, prompt.size()); line < prompt.size();) {
    if (drop_from(line)) return true;
    line = std::min(prompt.find('\n', line), prompt.size() - 1) + 1;
  }
  for (auto example = request.examples.rbegin(); example != request.examples.rend(); ++example)
    if (example->question < prompt.size() && drop_from(example->question)) return true;
  // The line in which the prompt breaks off may come back without its last blank.
  std::string_view line = prompt.substr(prompt.rfind('\n') + 1);
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  if (line.empty() || !text.starts_with(line)) return false;
  text.remove_prefix(line.size());
  return true;
}

/// Models leave out the newline in which a stop string ends when nothing comes after it.
bool drop_stop_at_end(std::string_view& text, std::span<const std::string_view> stops) {
  for (std::string_view stop : stops) {
    drop_blanks_at_end(stop);
    if (stop.empty() || !text.ends_with(stop)) continue;
    text.remove_suffix(stop.size());
    return true;
  }
  return false;
}

}  // namespace

ChatText split_thought(std::string_view text) {
  struct Tag {
    std::string_view open;
    std::string_view close;
  };
  ChatText parts;
  std::string_view inside = text;
  while (!inside.empty() && (is_blank(inside.front()) || is_break(inside.front()))) inside.remove_prefix(1);
  for (const Tag& tag : {Tag{"<think>", "</think>"}, Tag{"<thinking>", "</thinking>"}}) {
    const bool opened = inside.starts_with(tag.open);
    const std::size_t end = inside.find(tag.close);
    if (!opened && end == std::string_view::npos) continue;
    const std::size_t begin = opened ? tag.open.size() : 0;
    parts.unfinished = end == std::string_view::npos;
    parts.thought = inside.substr(begin, parts.unfinished ? end : end - begin);
    if (!parts.unfinished) parts.answer = inside.substr(end + tag.close.size());
    return parts;
  }
  parts.answer = text;
  return parts;
}

std::string_view without_fence(std::string_view text) {
  drop_front(text, true);
  drop_fence(text);
  drop_front(text, true);
  drop_blanks_at_end(text);
  return text;
}

std::string clean_answer(std::string_view answer, const CompletionRequest& request, Cleaning& cleaning) {
  const std::string prompt = std::string(request.prefix.text).append(request.query);
  const bool line_begins = prompt.empty() || prompt.back() == '\n';
  std::string_view text = answer;
  const auto drop_front_of_it = [&] {
    const std::size_t before = text.size();
    drop_front(text, line_begins);
    cleaning.blanks = cleaning.blanks || text.size() != before;
  };
  drop_front_of_it();
  if (drop_fence(text)) {
    cleaning.fence = true;
    drop_front(text, line_begins);
  } else if (line_begins) {
    const Beginnings beginnings(prompt, request);
    cleaning.fence = drop_words_around_fence(text, beginnings);
    cleaning.quotes = !cleaning.fence && drop_quotes(text, beginnings);
  }
  if (drop_repetition(text, prompt, request)) {
    cleaning.repetition = true;
    drop_front_of_it();
  }
  std::size_t end = std::string_view::npos;
  for (const std::string_view stop : request.stop) end = std::min(end, text.find(stop));
  if (end != std::string_view::npos) {
    cleaning.stopped = true;
    const std::string_view rest = text.substr(end);
    cleaning.explanation = rest.find_first_not_of(" \t\r\n") != std::string_view::npos;
    text = text.substr(0, end);
  }
  if (cleaning.stopped) {
    while (text.ends_with('\r')) text.remove_suffix(1);
    return std::string(text);
  }
  drop_blanks_at_end(text);
  cleaning.stopped = drop_stop_at_end(text, request.stop);
  return std::string(text);
}

}  // namespace icpi::http
