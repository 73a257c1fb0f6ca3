// SPDX-License-Identifier: MIT
#include "identity.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conversation.hpp"
#include "url.hpp"

namespace icpi::http {

namespace {

/// What changes the answers beyond dialect and model.
std::string describe_shape(const Options& options) {
  const RequestShape& request = options.request;
  std::string text;
  if (!request.omit.empty()) text += fmt::format(" without {}", fmt::join(request.omit, ","));
  if (!request.extra.empty()) text += " with " + request.extra;
  if (options.thinking_tokens == 0 && options.dialect == Dialect::chat) text += " with " + request.thinking_off;
  if (request.lowest_temperature > 0) text += fmt::format(" from temperature {}", request.lowest_temperature);
  if (std::isfinite(request.highest_temperature))
    text += fmt::format(" to temperature {}", request.highest_temperature);
  return text;
}

bool knows_messages(Dialect dialect) {
  return dialect == Dialect::chat || dialect == Dialect::anthropic || dialect == Dialect::responses;
}

/// How messages are made of a prompt, where that is not as usual.
std::string describe_messages(const Options& options) {
  if (!knows_messages(options.dialect)) return {};
  const bool turns = options.chat_style == ChatStyle::turns;
  const std::string_view usual = turns ? default_instruction : default_system_message;
  const std::string_view told = system_text(options);
  return (turns ? " in turns" : "") + (told == usual ? std::string() : fmt::format(" told '{}'", told));
}

std::string describe_thinking(const Options& options) {
  if (!knows_messages(options.dialect)) return {};
  if (options.thinking_tokens == 0) return options.dialect == Dialect::chat ? "" : " without thinking";
  std::string text;
  if (options.thinking_tokens) text += fmt::format(" thinking up to {} tokens", *options.thinking_tokens);
  if (!options.effort.empty()) text += fmt::format(" with effort {}", options.effort);
  return text;
}

/// The servers whose answers are interchangeable.
std::string describe_place(const Options& options) {
  if (!options.endpoints_file.empty() && options.moved_from.empty()) return "endpoints " + options.endpoints_file;
  std::vector<std::string> urls;
  const auto& named = options.moved_from.empty() ? options.base_urls : options.moved_from;
  for (const std::string& url : named) urls.push_back(parse_base_url(url).text());
  std::sort(urls.begin(), urls.end());
  urls.erase(std::unique(urls.begin(), urls.end()), urls.end());
  return fmt::format("{}", fmt::join(urls, ","));
}

}  // namespace

std::string make_identity(const Options& options, const std::string& model) {
  if (!options.identity.empty()) return options.identity;
  const std::string identity = fmt::format("http {} {} at {}", name(options.dialect), model, describe_place(options));
  return identity + describe_messages(options) + describe_shape(options) + describe_thinking(options);
}

}  // namespace icpi::http
