// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"

namespace icpi::measurements {

/// A change of the wording of prompts that can be undone. Works on whole lines.
struct Rewording {
  std::string name;                                    ///< for tables
  std::function<std::string(std::string_view)> there;  /// what the model gets to see
  std::function<std::string(std::string_view)> back;   /// what its answers mean
};

namespace detail {

inline bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
inline bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Replaces every word (letters, digits, `_`; no digit first) by replace(word).
template <class Replace>
std::string replace_words(std::string_view text, const Replace& replace) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && in_word(text[end])) ++end;
    if (end == at) {
      result += text[at++];
      continue;
    }
    const std::string_view word = text.substr(at, end - at);
    result += is_digit(word[0]) ? std::string(word) : replace(word);
    at = end;
  }
  return result;
}

inline std::string replace_all(std::string_view text, std::string_view what, std::string_view by) {
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(what, at);
    result += text.substr(at, found - at);
    if (found == std::string_view::npos) return result;
    result += by;
    at = found + what.size();
  }
}

/// The decimal number that begins at `at`: how long it is, and its digits behind the point; nothing: size 0. A minus
/// sign belongs to it unless an operand stands before.
struct FoundNumber {
  std::size_t size = 0;
  std::size_t decimals = 0;
};

inline FoundNumber find_number(std::string_view text, std::size_t at) {
  if (at > 0 && in_word(text[at - 1])) return {};
  std::size_t end = at;
  if (text[at] == '-') {
    const std::size_t before = at == 0 ? std::string_view::npos : text.find_last_not_of(' ', at - 1);
    if (before != std::string_view::npos && (in_word(text[before]) || text[before] == ')' || text[before] == ']'))
      return {};
    ++end;
  }
  const std::size_t digits = end;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == digits || end - digits > 12 || (end < text.size() && in_word(text[end]))) return {};
  FoundNumber found{end - at, 0};
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
    std::size_t last = end + 1;
    while (last < text.size() && is_digit(text[last])) ++last;
    if (last - end - 1 <= 4) found = {last - at, last - end - 1};
  }
  return found;
}

inline std::string shift_numbers(std::string_view text, int constant) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const FoundNumber found = find_number(text, at);
    if (found.size == 0) {
      result += text[at++];
      continue;
    }
    std::int64_t scale = 1;
    for (std::size_t i = 0; i < found.decimals; ++i) scale *= 10;
    std::string digits(text.substr(at, found.size));
    std::erase(digits, '.');
    const std::int64_t shifted = std::stoll(digits) + constant * scale;
    const std::int64_t size = std::abs(shifted);
    result += fmt::format("{}{}", shifted < 0 ? "-" : "", size / scale);
    if (found.decimals > 0) result += fmt::format(".{:0{}}", size % scale, found.decimals);
    at += found.size;
  }
  return result;
}

}  // namespace detail

/// The text as it is.
inline Rewording unchanged() {
  const auto same = [](std::string_view text) { return std::string(text); };
  return {"as it is", same, same};
}

/// Every word by a random one of five to nine letters, which ones depends on `seed`.
inline Rewording rename_words(std::uint64_t seed) {
  auto meaning = std::make_shared<std::unordered_map<std::string, std::string>>();
  const auto rename = [seed, meaning](std::string_view word) {
    RandomKey key(seed);
    for (const char c : word) key = key.child(static_cast<unsigned char>(c));
    RandomStream random(key);
    std::string renamed(5 + random.index(5), ' ');
    for (char& c : renamed) c = static_cast<char>('a' + random.index(26));
    const auto [known, added] = meaning->try_emplace(renamed, word);
    if (!added && known->second != word) throw Error("rewording: two words got the same name");
    return renamed;
  };
  const auto recall = [meaning](std::string_view word) {
    const auto known = meaning->find(std::string(word));
    return known == meaning->end() ? std::string(word) : known->second;
  };
  return {"words renamed", [rename](std::string_view text) { return detail::replace_words(text, rename); },
          [recall](std::string_view text) { return detail::replace_words(text, recall); }};
}

/// `==` by another sign or word, which no text may have between spaces already.
inline Rewording replace_equality(std::string sign) {
  const std::string between_spaces = " " + sign + " ";
  const auto there = [sign, between_spaces](std::string_view text) {
    if (text.find(between_spaces) != std::string_view::npos)
      throw Error(fmt::format("rewording: '{}' is part of the text already", sign));
    return detail::replace_all(text, "==", sign);
  };
  const auto back = [between_spaces](std::string_view text) {
    return detail::replace_all(text, between_spaces, " == ");
  };
  return {fmt::format("`==` as `{}`", sign), there, back};
}

/// A constant added to all numbers.
inline Rewording add_to_numbers(int constant) {
  return {fmt::format("numbers {:+}", constant),
          [constant](std::string_view text) { return detail::shift_numbers(text, constant); },
          [constant](std::string_view text) { return detail::shift_numbers(text, -constant); }};
}

/// Lets a model see every prompt in another wording, and undoes the wording in its answers. Prefixes and queries must
/// end with a line. Thread-safety: one thread at a time.
template <LanguageModel LM>
class RewordedModel {
 public:
  RewordedModel(LM model, Rewording rewording) : model_(std::move(model)), rewording_(std::move(rewording)) {}

  /// See LanguageModel.
  [[nodiscard]] std::string identity() const { return model_.identity() + ", " + rewording_.name; }

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    prefixes_.clear();
    queries_.clear();
    std::vector<CompletionRequest> reworded(requests.begin(), requests.end());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const std::string_view prefix = requests[i].prefix.text;
      const std::string_view before = i == 0 ? std::string_view{} : requests[i - 1].prefix.text;
      if (i == 0 || prefix.data() != before.data() || prefix.size() != before.size())
        prefixes_.push_back(rewording_.there(prefix));
      reworded[i].prefix.text = prefixes_.back();
      reworded[i].query = queries_.emplace_back(rewording_.there(requests[i].query));
    }
    model_.complete(reworded, completions);
    for (Completion& completion : completions) {
      completion.text = rewording_.back(completion.text);
      completion.tokens.clear();
    }
  }

 private:
  LM model_;
  Rewording rewording_;
  std::deque<std::string> prefixes_;  ///< of the batch; deques: requests hold views
  std::deque<std::string> queries_;
};

}  // namespace icpi::measurements
