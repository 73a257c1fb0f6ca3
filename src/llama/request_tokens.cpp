// SPDX-License-Identifier: MIT
#include "request_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "icpi/core/error.hpp"

namespace icpi::llama {

namespace {

void add(const std::vector<Token>& more, std::vector<Token>& tokens) {
  tokens.insert(tokens.end(), more.begin(), more.end());
}

std::size_t prompt_size(const CompletionRequest& request) { return request.prefix.text.size() + request.query.size(); }

/// The bytes of the prompt from `begin` to before `end`, without newlines around them.
std::string message_of(const CompletionRequest& request, std::size_t begin, std::size_t end) {
  const std::string_view prefix = request.prefix.text;
  std::string text;
  if (begin < prefix.size()) text = prefix.substr(begin, std::min(end, prefix.size()) - begin);
  if (end > prefix.size()) {
    const std::size_t from = std::max(begin, prefix.size()) - prefix.size();
    text += request.query.substr(from, end - prefix.size() - from);
  }
  const std::size_t first = text.find_first_not_of('\n');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of('\n') + 1 - first);
}

}  // namespace

TurnFrame::TurnFrame(const LoadedModel& model, const std::string& instruction) {
  constexpr std::array messages{"First question.", "First reply.", "Second question."};
  std::vector<ChatMessage> chat;
  if (!instruction.empty()) chat.push_back({"system", instruction.c_str()});
  for (std::size_t i = 0; i < messages.size(); ++i) chat.push_back({i % 2 == 0 ? "user" : "assistant", messages[i]});
  const auto refuse = [&](std::string_view why) {
    throw InvalidArgument(
        fmt::format("llama: {}: {}; it can be asked in the style continuation", model.capabilities().file, why));
  };
  const ChatTemplate known = model.capabilities().chat;
  if (known == ChatTemplate::none) refuse("it has no chat template, as base models have none");
  if (known == ChatTemplate::unknown) refuse("its chat template is none of those that libllama knows");
  const std::string text = model.converse(chat);
  std::array<std::size_t, messages.size()> places{};
  for (std::size_t i = 0; i < messages.size(); ++i) places[i] = text.rfind(messages[i]);
  if (std::find(places.begin(), places.end(), text.npos) != places.end() ||
      !std::is_sorted(places.begin(), places.end()))
    refuse("its chat template changes messages");
  const auto behind = [&](std::size_t i) { return places[i] + std::string_view(messages[i]).size(); };
  const auto tokens_of = [&](std::size_t begin, std::size_t end, std::vector<Token>& tokens) {
    model.tokenize(std::string_view(text).substr(begin, end - begin), tokens, true);
  };
  tokens_of(0, places[0], beginning);
  const auto first = model.beginning();
  if (first && (beginning.empty() || beginning.front() != *first)) beginning.insert(beginning.begin(), *first);
  tokens_of(behind(0), places[1], to_reply);
  tokens_of(behind(1), places[2], to_user);
  tokens_of(behind(2), text.size(), to_answer);
  if (to_user.empty()) refuse("its chat template puts nothing behind replies");
}

RequestTokenizer::RequestTokenizer(const LoadedModel& model, const Options& options) : text_(model) {
  if (options.style == PromptStyle::turns) turns_.emplace(model, options.instruction);
}

std::string RequestTokenizer::find_fault(const CompletionRequest& request) const {
  if (!turns_) return {};
  std::size_t at = 0;
  for (const PromptExample& each : request.examples)
    for (const std::size_t next : {std::size_t{each.question}, std::size_t{each.answer}, std::size_t{each.end}}) {
      if (next < at || next > prompt_size(request)) return "the borders of its examples are not in order";
      at = next;
    }
  return message_of(request, at, prompt_size(request)).empty() ? "nothing is asked after its examples" : "";
}

void RequestTokenizer::tokenize_prefix(const CompletionRequest& request, TextTokens& result) const {
  if (!turns_) return text_.tokenize(request.prefix.text, result);
  result = {};
  extend_prefix(request, result);
}

void RequestTokenizer::extend_prefix(const CompletionRequest& request, TextTokens& result) const {
  const std::string_view text = request.prefix.text;
  if (!turns_) return text_.extend(text, result);
  result.cut = append_exchanges(request, result.cut, text.size(), result.tokens);
  result.tokens_at_cut = result.tokens.size();
  result.text_size = text.size();
}

void RequestTokenizer::tokenize_rest(const CompletionRequest& request, const TextTokens& known,
                                     std::vector<Token>& rest) const {
  if (!turns_) return text_.tokenize_rest(request.prefix.text, known, request.query, rest);
  rest.clear();
  const std::size_t whole = prompt_size(request);
  const std::size_t at = append_exchanges(request, known.cut, whole, rest);
  append_user(message_of(request, at, whole), at == 0, rest);
  add(turns_->to_answer, rest);
}

void RequestTokenizer::tokenize_answer(const CompletionRequest& request, std::string_view answer, bool ended,
                                       std::vector<Token>& tokens) const {
  const bool shows_end = ended && !request.stop.empty();
  if (turns_) {
    tokens.clear();
    text_.append(answer, tokens);
    if (shows_end) tokens.push_back(turns_->to_user.front());
    return;
  }
  std::string text(answer);
  if (shows_end) text += request.stop.front();
  text_.continue_with(text, last_line(request.prefix.text, request.query), tokens);
}

/// Adds the examples that lie between `from`, where the last one ended, and `limit`: where the last one ends now. One
/// without a question or an answer belongs to what follows.
std::size_t RequestTokenizer::append_exchanges(const CompletionRequest& request, std::size_t from, std::size_t limit,
                                               std::vector<Token>& tokens) const {
  std::size_t at = from;
  for (const PromptExample& each : request.examples) {
    if (each.end <= from) continue;
    if (each.end > limit) break;
    const std::string question = message_of(request, at, each.answer);
    const std::string answer = message_of(request, each.answer, each.end);
    if (question.empty() || answer.empty()) continue;
    append_user(question, at == 0, tokens);
    add(turns_->to_reply, tokens);
    text_.append(answer, tokens);
    at = each.end;
  }
  return at;
}

void RequestTokenizer::append_user(std::string_view message, bool first, std::vector<Token>& tokens) const {
  add(first ? turns_->beginning : turns_->to_user, tokens);
  text_.append(message, tokens);
}

}  // namespace icpi::llama
