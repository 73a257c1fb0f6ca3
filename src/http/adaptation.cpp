// SPDX-License-Identifier: MIT
#include "adaptation.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "icpi/core/error.hpp"

namespace icpi::http {

namespace {

using JsonValue = nlohmann::json;

/// Fields without which the same is asked: stop strings are cut on our side too, the rest is neutral, a seed or a hint.
constexpr std::array<std::string_view, 26> dispensable{"seed",
                                                       "stop",
                                                       "stop_sequences",
                                                       "presence_penalty",
                                                       "frequency_penalty",
                                                       "n",
                                                       "stream",
                                                       "top_k",
                                                       "min_p",
                                                       "typical_p",
                                                       "top_n_sigma",
                                                       "repeat_penalty",
                                                       "repeat_last_n",
                                                       "dynatemp_range",
                                                       "xtc_probability",
                                                       "dry_multiplier",
                                                       "mirostat",
                                                       "cache_prompt",
                                                       "prompt_cache_key",
                                                       "id_slot",
                                                       "repetition_penalty",
                                                       "random_seed",
                                                       "logit_bias",
                                                       "user",
                                                       "top_p",
                                                       "stream_options"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> other_names{
    {{"max_tokens", "max_completion_tokens"}, {"max_completion_tokens", "max_tokens"}}};

bool in_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// Where `name` stands as a word of its own; npos: nowhere.
std::size_t find_word(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !in_name(text[at - 1])) && (end == text.size() || !in_name(text[end]))) return at;
  }
  return std::string_view::npos;
}

/// The fields that the words name, the most likely one first.
std::vector<std::string> named_fields(const ServerWords& words, const JsonValue& body) {
  std::vector<std::pair<std::size_t, std::string>> places;
  for (const auto& [name, value] : body.items()) {
    const bool told = std::find(words.fields.begin(), words.fields.end(), name) != words.fields.end();
    const std::size_t place = find_word(words.message, name);
    if (told) {
      places.emplace_back(0, name);
    } else if (words.fields.empty() && place != std::string::npos) {
      places.emplace_back(place + 1, name);
    }
  }
  std::sort(places.begin(), places.end());
  std::vector<std::string> names;
  for (auto& [place, name] : places) names.push_back(std::move(name));
  return names;
}

/// Whether the field is refused as such, not its value.
bool says_unknown(const ServerWords& words, std::string_view other_name) {
  constexpr std::array<std::string_view, 9> signs{"support", "unknown",   "unrecogn",   "unexpected", "permitted",
                                                  "allowed", "forbidden", "deprecated", "instead"};
  const auto says = [&](std::string_view sign) {
    return words.message.find(sign) != std::string::npos || words.codes.find(sign) != std::string::npos;
  };
  return find_word(words.message, other_name) != std::string::npos || std::any_of(signs.begin(), signs.end(), says);
}

bool is_dispensable(std::string_view name, const CompletionRequest& request) {
  if (name == "top_p" && request.sampling.top_p.value_or(1) != 1) return false;
  return std::find(dispensable.begin(), dispensable.end(), name) != dispensable.end();
}

}  // namespace

BodyShape LearnedRequest::applied_to(BodyShape shape) const {
  const std::lock_guard lock(mutex_);
  shape.omitted.insert(shape.omitted.end(), omitted_.begin(), omitted_.end());
  for (const auto& [field, name] : renamed_) {
    const auto known = std::find_if(shape.renamed.begin(), shape.renamed.end(),
                                    [&field = field](const auto& each) { return each.second == field; });
    if (known == shape.renamed.end()) {
      shape.renamed.emplace_back(field, name);
    } else {
      known->second = name;
    }
  }
  return shape;
}

bool LearnedRequest::is_news(const std::string& line) {
  const std::lock_guard lock(mutex_);
  return told_.insert(line).second;
}

bool LearnedRequest::leave_out(const std::string& field) {
  const std::lock_guard lock(mutex_);
  if (std::find(omitted_.begin(), omitted_.end(), field) != omitted_.end()) return false;
  omitted_.push_back(field);
  ++version_;
  return true;
}

bool LearnedRequest::rename(const std::string& field, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto known = [&](const auto& each) { return each.first == field || each.first == name; };
  if (std::any_of(renamed_.begin(), renamed_.end(), known)) return false;  // also there and back again
  renamed_.emplace_back(field, name);
  ++version_;
  return true;
}

std::shared_ptr<LearnedRequest> new_learned_request() { return std::make_shared<LearnedRequest>(); }

std::optional<Refusal> find_refusal(const ServerWords& words, const std::string& body, const BodyShape& shape,
                                    const CompletionRequest& request) {
  const JsonValue sent = JsonValue::parse(body, nullptr, false);
  if (!sent.is_object()) return std::nullopt;
  const std::vector<std::string> named = named_fields(words, sent);
  const auto wished = [&](const std::string& name) {
    return std::any_of(shape.extra.begin(), shape.extra.end(), [&](const auto& each) { return each.first == name; });
  };
  for (const std::string& name : named) {
    if (wished(name)) continue;
    const auto other =
        std::find_if(other_names.begin(), other_names.end(), [&](const auto& each) { return each.first == name; });
    if (other != other_names.end() && says_unknown(words, other->second))
      return Refusal{name, std::string(other->second), false};
    if (is_dispensable(name, request)) return Refusal{name, {}, false};
  }
  for (const std::string& name : named) {
    if (name != "model" && name != "messages" && name != "prompt") return Refusal{name, {}, true};
  }
  return std::nullopt;
}

}  // namespace icpi::http
