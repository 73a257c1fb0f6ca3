// SPDX-License-Identifier: MIT
#include "conversation.hpp"

#include <algorithm>

namespace icpi::http {

namespace {

std::size_t prompt_size(const CompletionRequest& request) { return request.prefix.text.size() + request.query.size(); }

char byte_at(const CompletionRequest& request, std::size_t at) {
  const std::string_view prefix = request.prefix.text;
  return at < prefix.size() ? prefix[at] : request.query[at - prefix.size()];
}

/// The same without newlines at both ends.
PromptSlice message_of(const CompletionRequest& request, std::size_t begin, std::size_t end) {
  while (begin < end && byte_at(request, begin) == '\n') ++begin;
  while (begin < end && byte_at(request, end - 1) == '\n') --end;
  return slice_of(request, begin, end);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool cuts_character(const CompletionRequest& request, std::size_t at) {
  return at < prompt_size(request) && (static_cast<unsigned char>(byte_at(request, at)) & 0xC0U) == 0x80U;
}

}  // namespace

PromptSlice slice_of(const CompletionRequest& request, std::size_t begin, std::size_t end) noexcept {
  const std::size_t border = request.prefix.text.size();
  PromptSlice slice;
  if (begin < border) slice.first = request.prefix.text.substr(begin, std::min(end, border) - begin);
  if (end > border) {
    const std::size_t from = std::max(begin, border) - border;
    slice.second = request.query.substr(from, end - border - from);
  }
  return slice;
}

Conversation conversation_of(const CompletionRequest& request) {
  Conversation conversation;
  conversation.examples.reserve(request.examples.size());
  std::size_t at = 0;
  for (const PromptExample& each : request.examples) {
    const PromptSlice question = message_of(request, at, each.answer);
    const PromptSlice answer = message_of(request, each.answer, each.end);
    if (question.empty() || answer.empty()) continue;  // belongs to what follows
    conversation.examples.push_back({question, answer, each.end <= request.prefix.text.size()});
    at = each.end;
  }
  conversation.question = message_of(request, at, prompt_size(request));
  return conversation;
}

std::size_t examples_in_prefix(const Conversation& conversation) {
  return static_cast<std::size_t>(std::count_if(conversation.examples.begin(), conversation.examples.end(),
                                                [](const auto& each) { return each.in_prefix; }));
}

std::vector<Block> blocks_of(const CompletionRequest& request) {
  const std::size_t border = request.prefix.text.size();
  const std::size_t whole = border + request.query.size();
  if (is_blank(request.prefix.text) || is_blank(request.query)) return {{slice_of(request, 0, whole), false}};
  const auto in_prefix = static_cast<std::size_t>(
      std::count_if(request.examples.begin(), request.examples.end(), [&](const auto& e) { return e.end <= border; }));
  std::vector<Block> blocks;
  std::size_t begin = 0;
  for (std::size_t count = examples_per_block; count < in_prefix; count += examples_per_block) {
    const std::size_t end = request.examples[count].question;
    blocks.push_back({slice_of(request, begin, end), is_kept_place(count, in_prefix)});
    begin = end;
  }
  blocks.push_back({slice_of(request, begin, border), true});
  blocks.push_back({slice_of(request, border, whole), false});
  return blocks;
}

std::string_view system_text(const Options& options) noexcept {
  return options.chat_style == ChatStyle::turns ? options.instruction : options.system_message;
}

std::string find_border_fault(const CompletionRequest& request) {
  std::size_t at = 0;
  for (const PromptExample& each : request.examples) {
    for (const std::size_t next : {std::size_t{each.question}, std::size_t{each.answer}, std::size_t{each.end}}) {
      if (next < at || next > prompt_size(request)) return "the borders of its examples are not in order";
      if (cuts_character(request, next)) return "a border of its examples cuts a character";
      at = next;
    }
  }
  if (request.question < at || request.question > prompt_size(request))
    return "its question does not follow its examples";
  if (cuts_character(request, request.question)) return "the border of its question cuts a character";
  const bool asked = request.examples.empty() || !message_of(request, at, prompt_size(request)).empty();
  return asked ? "" : "nothing is asked after its examples";
}

bool is_kept_place(std::size_t count, std::size_t examples) noexcept {
  const auto last_of = [examples](std::size_t step) { return examples - examples % step; };
  return count > 0 &&
         (count == last_of(4 * examples_per_block) || count == last_of(examples_per_block) || count == examples);
}

}  // namespace icpi::http
