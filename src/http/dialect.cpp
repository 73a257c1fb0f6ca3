// SPDX-License-Identifier: MIT
#include "dialect.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "conversation.hpp"
#include "dialects.hpp"
#include "icpi/core/random.hpp"
#include "json_text.hpp"

namespace icpi::http {

namespace {

bool is_utf8(std::span<const std::string_view> texts) {
  return std::none_of(texts.begin(), texts.end(), [](std::string_view text) { return find_invalid_utf8(text); });
}

}  // namespace

const DialectStrategy& strategy(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::completions: return completions_dialect();
    case Dialect::chat: return chat_dialect();
    case Dialect::llama_native: return llama_native_dialect();
    case Dialect::anthropic: return anthropic_dialect();
    case Dialect::responses: return responses_dialect();
  }
  return completions_dialect();
}

bool combinable(const CompletionRequest& a, const CompletionRequest& b) {
  return a.choices.empty() && b.choices.empty() && a.sampling == b.sampling && a.want_logprobs == b.want_logprobs &&
         (a.sampling.temperature == 0 || wire_seed(a) == wire_seed(b)) && a.timeout == b.timeout &&
         std::equal(a.stop.begin(), a.stop.end(), b.stop.begin(), b.stop.end());
}

std::string find_fault(const CompletionRequest& request, const Options& options) {
  if (auto error = check_sampling(request.sampling)) return std::move(error.message);
  if (options.dialect == Dialect::anthropic && !request.sampling.max_tokens)
    return "the dialect anthropic needs max_tokens";
  if (request.prefix.text.empty() && request.query.empty()) return "the prompt is empty";
  if (std::any_of(request.stop.begin(), request.stop.end(), [](std::string_view s) { return s.empty(); })) {
    return "a stop string is empty";
  }
  if (const auto at = find_invalid_utf8(request.prefix.text)) {
    return fmt::format("the prompt prefix is not UTF-8 at byte {}", *at);
  }
  if (const auto at = find_invalid_utf8(request.query)) return fmt::format("the query is not UTF-8 at byte {}", *at);
  if (!is_utf8(request.stop) || !is_utf8(request.choices)) return "a stop string or choice is not UTF-8";
  if (request.want_logprobs && !strategy(options.dialect).logprobs())
    return fmt::format("the dialect {} has no log-probabilities", name(options.dialect));
  return find_border_fault(request);
}

std::optional<std::uint32_t> wire_seed(const CompletionRequest& request) noexcept {
  if (!request.seed) return std::nullopt;
  const std::uint64_t bits = RandomKey(*request.seed).child(request.sample_index).seed();
  return static_cast<std::uint32_t>(bits & 0x7FFFFFFFU);
}

}  // namespace icpi::http
