// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

// What libFuzzer calls, and what replay.cpp calls with the files of a corpus.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace icpi::fuzz {

/// Ends the process unless `holds`: the fuzzer keeps the input then.
inline void require(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "broken law: %s\n", law);
  std::abort();
}

/// Random bytes, taken apart from the front.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_ += static_cast<char>(data[i]);
    rest_ = bytes_;
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// 0 when nothing is left.
  unsigned byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  /// The bytes before the next 0x1E (a control character: record separator), which is skipped.
  std::string_view record() {
    const std::size_t end = rest_.find('\x1e');
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return text;
  }

  /// All records that are left, at most `limit`.
  std::vector<std::string> records(std::size_t limit) {
    std::vector<std::string> all;
    while (!rest_.empty() && all.size() < limit) all.emplace_back(record());
    return all;
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string bytes_;
  std::string_view rest_;
};

}  // namespace icpi::fuzz
