// SPDX-License-Identifier: MIT
#include "icpi/models/completion_record.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"

namespace icpi {

namespace {

constexpr std::array finish_names{std::string_view("stop"), std::string_view("length"), std::string_view("error")};

/// Both halves of a fingerprint, fed byte by byte.
class FingerprintMixer {
 public:
  FingerprintMixer() = default;
  /// Goes on where another one was.
  explicit FingerprintMixer(const RequestFingerprint& before) : result_(before) {}

  void text(std::string_view bytes) {
    result_.high = detail::fnv1a(bytes, result_.high);
    for (const char each : bytes) {
      result_.low = std::rotl((result_.low ^ static_cast<unsigned char>(each)) * 0xD6E8FEB86659FD93, 29);
    }
  }
  void number(std::uint64_t value) {
    std::array<char, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(value >> 8 * i & 0xFF);
    text({bytes.data(), bytes.size()});
  }
  void texts(std::span<const std::string_view> list) {
    number(list.size());
    for (const auto each : list) {
      number(each.size());
      text(each);
    }
  }
  [[nodiscard]] RequestFingerprint result() const { return result_; }

 private:
  RequestFingerprint result_{detail::fnv1a(""), 0x9AE16A3B2F90404F};
};

template <class Value>
void add_set(JsonLine& line, std::string_view name, const std::optional<Value>& value) {
  if (value) line.add(name, *value);
}

/// Three offsets an example, and last that of the question.
void add_borders(JsonLine& line, const CompletionRequest& request) {
  if (request.examples.empty()) return;
  std::vector<std::size_t> borders;
  for (const PromptExample& each : request.examples)
    borders.insert(borders.end(), {each.question, each.answer, each.end});
  borders.push_back(request.question);
  line.add_list("borders", borders, [](std::size_t at, std::string& out) { out += fmt::to_string(at); });
}

/// Feeds what may be left open; the result's bits say what is. 0.0 makes -0.0 the same temperature as 0.
std::uint64_t mix_sampling(FingerprintMixer& mixer, const CompletionRequest& request) {
  const Sampling& sampling = request.sampling;
  mixer.number(std::bit_cast<std::uint64_t>(sampling.temperature.value_or(0) + 0.0));
  mixer.number(std::bit_cast<std::uint64_t>(sampling.top_p.value_or(0) + 0.0));
  mixer.number(static_cast<std::uint64_t>(sampling.max_tokens.value_or(0)));
  mixer.number(request.seed.value_or(0));
  return (sampling.temperature ? 0U : 1U) | (sampling.top_p ? 0U : 2U) | (sampling.max_tokens ? 0U : 4U) |
         (request.seed ? 0U : 8U);
}

/// What is read first: how long the prompt is, and its prefix.
RequestFingerprint mix_prefix(const CompletionRequest& request) {
  FingerprintMixer mixer;
  mixer.number(request.prefix.text.size() + request.query.size());
  mixer.text(request.prefix.text);
  return mixer.result();
}

/// What is read after mix_prefix().
RequestFingerprint mix_rest(const RequestFingerprint& prefix, const CompletionRequest& request,
                            std::string_view model) {
  FingerprintMixer mixer(prefix);
  mixer.text(request.query);
  mixer.texts(request.stop);
  mixer.texts(request.choices);
  const std::uint64_t left_open = mix_sampling(mixer, request);
  mixer.number(request.sample_index);
  mixer.number(request.want_logprobs ? 1 : 0);
  // Where all is set and no model is named, the fingerprint is what it was without either.
  if (left_open != 0 || !model.empty()) mixer.number(left_open);
  if (!model.empty()) mixer.texts({&model, 1});
  return mixer.result();
}

FinishReason read_finish(const std::string& text) {
  std::size_t number = 0;
  while (number < finish_names.size() && finish_names[number] != text) ++number;
  if (number == finish_names.size()) throw InvalidArgument(fmt::format("unknown finish \"{}\"", text));
  return static_cast<FinishReason>(number);
}

ErrorCategory read_category(const std::string& text) {
  auto category = ErrorCategory::transport;
  while (category != ErrorCategory::cancelled && name(category) != text)
    category = static_cast<ErrorCategory>(static_cast<int>(category) + 1);
  if (name(category) != text) throw InvalidArgument(fmt::format("unknown error \"{}\"", text));
  return category;
}

}  // namespace

std::string RequestFingerprint::str() const { return fmt::format("{:016x}{:016x}", high, low); }

RequestFingerprint fingerprint(const CompletionRequest& request, std::string_view model) {
  return mix_rest(mix_prefix(request), request, model);
}

RequestFingerprint Fingerprints::of(const CompletionRequest& request, std::string_view model) {
  const PromptPrefix& prefix = request.prefix;
  if (prefix.identity == 0) return fingerprint(request, model);
  constexpr int place_bits = 7;
  static_assert(sizeof(Prefix) << place_bits <= 8192);
  kept_.resize(std::size_t{1} << place_bits);
  const std::uint64_t prompt_length = prefix.text.size() + request.query.size();
  const std::uint64_t hash =
      (prefix.identity ^ std::rotl(std::uint64_t{prefix.text.size()}, 20) ^ std::rotl(prompt_length, 40)) *
      0x9E3779B97F4A7C15;
  Prefix& kept = kept_[hash >> (64 - place_bits)];
  if (kept.identity != prefix.identity || kept.length != prefix.text.size() || kept.prompt_length != prompt_length)
    kept = {prefix.identity, prefix.text.size(), prompt_length, mix_prefix(request)};
  return mix_rest(kept.read, request, model);
}

namespace detail {

void add_completion(JsonLine& line, const Completion& completion) {
  line.add("text", completion.text).add("finish", finish_names[static_cast<std::size_t>(completion.finish)]);
  line.add_list("tokens", completion.tokens, [](const TokenLogprob& token, std::string& out) {
    JsonLine item;
    item.add("token", token.token);
    if (std::isfinite(token.logprob)) item.add("logprob", token.logprob);  // else impossible: minus infinity
    out += item.str();
  });
  line.add("prompt_tokens", completion.usage.prompt_tokens).add("cached_tokens", completion.usage.cached_tokens);
  line.add("completion_tokens", completion.usage.completion_tokens);
  if (completion.usage.written_tokens > 0) line.add("cache_write_tokens", completion.usage.written_tokens);
  if (completion.error) {
    line.add("error", name(completion.error.category)).add("message", completion.error.message);
    line.add("retry_after", completion.error.retry_after_seconds);
  }
}

JsonLine answer_line(const RequestFingerprint& request, const Completion& completion) {
  JsonLine line;
  line.add("request", request.str());
  add_completion(line, completion);
  return line;
}

RecordedCompletion read_answer(const Json& json) {
  RecordedCompletion result{read_fingerprint(json["request"].string()), {}};
  Completion& completion = result.completion;
  completion.text = json["text"].string();
  completion.finish = read_finish(json["finish"].string());
  for (const Json& token : json["tokens"].array()) {
    const Json* logprob = token.find("logprob");
    completion.tokens.push_back(
        {token["token"].string(), logprob != nullptr ? logprob->number() : -std::numeric_limits<double>::infinity()});
  }
  completion.usage = {json["prompt_tokens"].integer<std::uint64_t>(), json["cached_tokens"].integer<std::uint64_t>(),
                      json["completion_tokens"].integer<std::uint64_t>()};
  if (const Json* written = json.find("cache_write_tokens"))
    completion.usage.written_tokens = written->integer<std::uint64_t>();
  if (const Json* error = json.find("error"))
    completion.error = {read_category(error->string()), json["message"].string(), json["retry_after"].number()};
  return result;
}

RequestFingerprint read_fingerprint(std::string_view text) {
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

std::string completion_record(const RequestFingerprint& request, const Completion& completion) {
  return detail::with_checksum(detail::answer_line(request, completion).str());
}

std::string completion_record(const CompletionRequest& request, const Completion& completion, bool prompt) {
  if (!prompt) return completion_record(fingerprint(request), completion);
  JsonLine line;
  line.add("request", fingerprint(request).str());
  line.add("prefix", request.prefix.text).add("query", request.query);
  add_borders(line, request);
  line.add_list("stop", request.stop, append_json_string);
  if (!request.choices.empty()) line.add_list("choices", request.choices, append_json_string);
  add_set(line, "temperature", request.sampling.temperature);
  add_set(line, "top_p", request.sampling.top_p);
  add_set(line, "max_tokens", request.sampling.max_tokens);
  add_set(line, "seed", request.seed);
  line.add("sample", request.sample_index);
  if (request.want_logprobs) line.add("want_logprobs", true);
  detail::add_completion(line, completion);
  return detail::with_checksum(line.str());
}

RecordedCompletion read_completion_record(std::string_view line) {
  if (!detail::checksum_holds(line)) throw InvalidArgument("the checksum does not fit");
  return detail::read_answer(Json::parse(line));
}

std::optional<Completion> detail::find_answer(std::string_view request, std::string_view line) {
  try {
    RecordedCompletion answer = read_completion_record(line);
    if (answer.request.str() == request && answer.completion.finish != FinishReason::error)
      return std::move(answer.completion);
  } catch (const InvalidArgument&) {  // no such line
  }
  return std::nullopt;
}

}  // namespace icpi
