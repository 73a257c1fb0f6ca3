// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "icpi/core/random.hpp"

namespace icpi::testing {

/// Damages texts as bad models and bad disks do.
class Mutator {
 public:
  /// `texts` are valid ones to start from; they must outlive the mutator.
  Mutator(std::span<const std::string> texts, RandomKey key) : texts_(texts), stream_(key) {}

  /// A valid text with one to four changes: `text` stays valid until the next call.
  [[nodiscard]] const std::string& next() {
    text_ = any();
    for (std::size_t changes = 1 + stream_.index(4); changes > 0; --changes) change();
    return text_;
  }

 private:
  [[nodiscard]] const std::string& any() { return texts_[stream_.index(texts_.size())]; }
  [[nodiscard]] std::size_t place() { return stream_.index(text_.size() + 1); }

  void change() {
    switch (stream_.index(7)) {
      case 0:  // flip a bit
        if (!text_.empty()) text_[stream_.index(text_.size())] ^= static_cast<char>(1 << stream_.index(8));
        return;
      case 1:  // any byte
        if (!text_.empty()) text_[stream_.index(text_.size())] = static_cast<char>(stream_.index(256));
        return;
      case 2: text_.erase(place(), 1 + stream_.index(8)); return;
      case 3: {  // double a part
        const std::string part = text_.substr(place(), 1 + stream_.index(8));
        text_.insert(place(), part);
        return;
      }
      case 4: {  // the beginning of one, the end of another
        const std::string& other = any();
        text_ = text_.substr(0, place()) + other.substr(stream_.index(other.size() + 1));
        return;
      }
      case 5: return insert_space();
      default: return replace_number();
    }
  }

  void insert_space() {
    static constexpr std::array<std::string_view, 7> spaces{" ", "\t", "\n", "\r\n", "\n\n", "\xc2\xa0", "  "};
    text_.insert(place(), spaces[stream_.index(spaces.size())]);
  }

  /// Puts another number where one is.
  void replace_number() {
    static constexpr std::string_view characters = "+-.0123456789";
    static constexpr std::array<std::string_view, 20> numbers{"0",
                                                              "1",
                                                              "-1",
                                                              "-0",
                                                              "00",
                                                              "007",
                                                              "1.0",
                                                              "0.50",
                                                              "-0.00",
                                                              "2.25",
                                                              "+1",
                                                              "1e5",
                                                              "1e400",
                                                              "nan",
                                                              "inf",
                                                              "0x1",
                                                              "2147483648",
                                                              "-2147483649",
                                                              "99999999999999999999.25",
                                                              "123456789012345678901234567890"};
    const std::size_t first = text_.find_first_of(characters, place());
    if (first == std::string::npos) return;
    const std::size_t last = text_.find_first_not_of(characters, first);
    const std::string other = stream_.index(2) == 0 ? std::string(numbers[stream_.index(numbers.size())])
                                                    : std::to_string(static_cast<int>(stream_.index(200)) - 100);
    text_.replace(first, last == std::string::npos ? last : last - first, other);
  }

  std::span<const std::string> texts_;
  RandomStream stream_;
  std::string text_;
};

}  // namespace icpi::testing
