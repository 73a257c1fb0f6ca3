// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "library.hpp"

namespace icpi::llama {

/// What a file says may hold anything: in one line, without what controls a terminal.
inline std::string in_one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return line;
}

/// What libllama logs as errors; it gives reasons nowhere else. One loader at a time.
class ErrorLog {
 public:
  static ErrorLog& instance() {
    static ErrorLog log;
    return log;
  }

  std::unique_lock<std::mutex> begin() {
    std::unique_lock lock(loading_);
    const std::lock_guard writing(writing_);
    errors_.clear();
    return lock;
  }

  /// The first error since begin(), without the name of the function that wrote it; empty: there was none.
  std::string first() {
    const std::lock_guard writing(writing_);
    if (errors_.empty()) return {};
    std::string_view line = errors_.front();
    if (const auto colon = line.find(": "); colon != line.npos && line.find(' ') > colon) line.remove_prefix(colon + 2);
    for (const std::string_view noise : {"error loading model: ", "llama_model_loader: "})
      if (line.starts_with(noise)) line.remove_prefix(noise.size());
    while (line.ends_with('\n')) line.remove_suffix(1);
    return in_one_line(line);
  }

 private:
  ErrorLog() { llama_log_set(&ErrorLog::write, this); }

  static void write(ggml_log_level level, const char* text, void* self) {
    if (level != GGML_LOG_LEVEL_ERROR) return;
    auto& log = *static_cast<ErrorLog*>(self);
    const std::lock_guard writing(log.writing_);
    if (log.errors_.size() < 16) log.errors_.emplace_back(text);
  }

  std::mutex loading_;
  std::mutex writing_;
  std::vector<std::string> errors_;
};

}  // namespace icpi::llama
