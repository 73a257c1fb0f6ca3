// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace icpi::program {

/// A command line.
using Words = std::vector<std::string>;

/// Whether the word is this option, with or without `=` and a value.
inline bool is_option(const std::string& word, std::string_view option) {
  return word == option || (word.starts_with(option) && word.substr(option.size()).starts_with('='));
}

/// Whether one of the words is this option.
inline bool names_option(const Words& words, std::string_view option) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return is_option(word, option); });
}

/// With its values: options that are lists would else gain the later values instead of being replaced.
inline void remove_option(Words& words, std::string_view option) {
  for (auto word = words.begin(); word != words.end();) {
    if (!is_option(*word, option)) {
      ++word;
      continue;
    }
    const bool value_follows = *word == option && word + 1 != words.end();
    word = words.erase(word, word + (value_follows ? 2 : 1));
  }
}

}  // namespace icpi::program
