// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "icpi/prompt/query_options.hpp"

namespace icpi::program {

/// Looks at the first answers of each kind of question, and of a whole transition at each of its parts: a model whose answers cannot be read learns nothing and costs as
/// much as another one. Thread-safe.
class ReadabilityWatch {
 public:
  static constexpr std::size_t looked_at = 20;  ///< answers of each kind

  /// Counts an answer.
  void look(const QueryRecord& record);
  /// Whether more than half of the first answers of a kind were invalid.
  [[nodiscard]] bool hopeless() const noexcept { return hopeless_; }
  /// What a person should know then, in one line: how many, three of them, and what to do.
  [[nodiscard]] std::string report() const;

 private:
  void count(QueryKind kind, bool unread, const std::string& text);

  struct Kind {
    std::size_t seen = 0;
    std::size_t invalid = 0;
    std::vector<std::string> shown;
  };

  mutable std::mutex mutex_;
  std::array<Kind, query_kinds.size()> kinds_;
  std::atomic<bool> hopeless_{false};
};

}  // namespace icpi::program
