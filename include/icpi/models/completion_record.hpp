// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

/// Names everything about a request that can change its answer, in 128 bits: prompt (however it is split into prefix
/// and query), stop strings, sampling, seed, sample index, logprobs wanted, choices. Not the timeout.
struct RequestFingerprint {
  std::uint64_t high = 0;  ///< first half
  std::uint64_t low = 0;   ///< second half

  friend auto operator<=>(const RequestFingerprint&, const RequestFingerprint&) = default;

  /// 32 hexadecimal digits.
  [[nodiscard]] std::string str() const { return fmt::format("{:016x}{:016x}", high, low); }
};

/// The fingerprint of a request. Equal requests have equal fingerprints; others differ but for a chance of about 2^-64.
inline RequestFingerprint fingerprint(const CompletionRequest& request) {
  RequestFingerprint result{detail::fnv1a(""), 0x9AE16A3B2F90404F};
  const auto mix = [&](std::string_view text) {
    result.high = detail::fnv1a(text, result.high);
    for (const char each : text) {
      result.low = std::rotl((result.low ^ static_cast<unsigned char>(each)) * 0xD6E8FEB86659FD93, 29);
    }
  };
  const auto mix_number = [&](std::uint64_t number) {
    std::array<char, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(number >> 8 * i & 0xFF);
    mix({bytes.data(), bytes.size()});
  };
  const auto mix_texts = [&](std::span<const std::string_view> texts) {
    mix_number(texts.size());
    for (const auto text : texts) {
      mix_number(text.size());
      mix(text);
    }
  };
  mix_number(request.prefix.text.size() + request.query.size());
  mix(request.prefix.text);
  mix(request.query);
  mix_texts(request.stop);
  mix_texts(request.choices);
  mix_number(std::bit_cast<std::uint64_t>(request.sampling.temperature));
  mix_number(std::bit_cast<std::uint64_t>(request.sampling.top_p));
  mix_number(static_cast<std::uint64_t>(request.sampling.max_tokens));
  mix_number(request.seed);
  mix_number(request.sample_index);
  mix_number(request.want_logprobs ? 1 : 0);
  return result;
}

namespace detail {

constexpr std::array finish_names{std::string_view("stop"), std::string_view("length"), std::string_view("error")};
/// Adds an answer to an object of JSON.
inline void add_completion(JsonLine& line, const Completion& completion) {
  line.add("text", completion.text).add("finish", detail::finish_names[static_cast<std::size_t>(completion.finish)]);
  line.add_list("tokens", completion.tokens, [](const TokenLogprob& token, std::string& out) {
    JsonLine item;
    item.add("token", token.token);
    if (std::isfinite(token.logprob)) item.add("logprob", token.logprob);  // else impossible: minus infinity
    out += item.str();
  });
  line.add("prompt_tokens", completion.usage.prompt_tokens).add("cached_tokens", completion.usage.cached_tokens);
  line.add("completion_tokens", completion.usage.completion_tokens);
  if (completion.error) {
    line.add("error", name(completion.error.category)).add("message", completion.error.message);
    line.add("retry_after", completion.error.retry_after_seconds);
  }
}

/// The opposite of add_completion(). Throws InvalidArgument.
inline Completion read_completion(const Json& json) {
  Completion completion;
  completion.text = json["text"].string();
  const std::string& finish = json["finish"].string();
  std::size_t number = 0;
  while (number < detail::finish_names.size() && detail::finish_names[number] != finish) ++number;
  if (number == detail::finish_names.size()) throw InvalidArgument(fmt::format("unknown finish \"{}\"", finish));
  completion.finish = static_cast<FinishReason>(number);
  for (const Json& token : json["tokens"].array()) {
    const Json* logprob = token.find("logprob");
    completion.tokens.push_back(
        {token["token"].string(), logprob != nullptr ? logprob->number() : -std::numeric_limits<double>::infinity()});
  }
  completion.usage = {json["prompt_tokens"].integer<std::uint64_t>(), json["cached_tokens"].integer<std::uint64_t>(),
                      json["completion_tokens"].integer<std::uint64_t>()};
  if (const Json* error = json.find("error")) {
    auto category = ErrorCategory::transport;
    while (category != ErrorCategory::cancelled && name(category) != error->string())
      category = static_cast<ErrorCategory>(static_cast<int>(category) + 1);
    if (name(category) != error->string()) throw InvalidArgument(fmt::format("unknown error \"{}\"", error->string()));
    completion.error = {category, json["message"].string(), json["retry_after"].number()};
  }
  return completion;
}

/// The opposite of RequestFingerprint::str(). Throws InvalidArgument.
inline RequestFingerprint read_fingerprint(std::string_view text) {
  RequestFingerprint result;
  const auto hex = [&](std::size_t first, std::uint64_t& value) {
    if (text.size() != 32) throw InvalidArgument("a request is named by 32 hexadecimal digits");
    const char* const end = text.data() + first + 16;
    const auto [read, error] = std::from_chars(text.data() + first, end, value, 16);
    if (error != std::errc{} || read != end) throw InvalidArgument("a request is named by 32 hexadecimal digits");
  };
  hex(0, result.high);
  hex(16, result.low);
  return result;
}

}  // namespace detail

/// One request and its answer as a line of JSON that ends in a checksum; no newline. Without `prompt` the texts of the
/// request are left out, its fingerprint is enough to replay.
inline std::string completion_record(const CompletionRequest& request, const Completion& completion,
                                     bool prompt = true) {
  JsonLine line;
  line.add("request", fingerprint(request).str());
  if (prompt) {
    line.add("prefix", request.prefix.text).add("query", request.query);
    line.add_list("stop", request.stop, append_json_string);
    if (!request.choices.empty()) line.add_list("choices", request.choices, append_json_string);
    line.add("temperature", request.sampling.temperature).add("top_p", request.sampling.top_p);
    line.add("max_tokens", request.sampling.max_tokens).add("seed", request.seed).add("sample", request.sample_index);
  }
  detail::add_completion(line, completion);
  return detail::with_checksum(line.str());
}

/// What a line of completion_record() says.
struct RecordedCompletion {
  RequestFingerprint request;  ///< which request it answers
  Completion completion;       ///< the answer
};

/// Reads a line of completion_record(). Throws InvalidArgument when it is damaged or says something else.
inline RecordedCompletion read_completion_record(std::string_view line) {
  if (!detail::checksum_holds(line)) throw InvalidArgument("the checksum does not fit");
  const Json json = Json::parse(line);
  RecordedCompletion result;
  result.request = detail::read_fingerprint(json["request"].string());
  result.completion = detail::read_completion(json);
  return result;
}

}  // namespace icpi
