// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace icpi {

/// Gives equal texts equal numbers 0, 1, 2, ... Clearing keeps the memory. Not for concurrent use while interning.
class TextInterner {
 public:
  /// The handle of a text: equal texts have equal handles.
  std::uint32_t intern(std::string_view text) {
    if (2 * (entries_.size() + 1) > table_.size()) grow();
    const std::size_t hash = std::hash<std::string_view>{}(text);
    std::size_t at = hash & (table_.size() - 1);
    for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
      const auto id = table_[at] - 1;
      if (entries_[id].hash == hash && this->text(id) == text) return id;
    }
    entries_.push_back({hash, text_.size(), text.size()});
    text_.append(text);
    return (table_[at] = static_cast<std::uint32_t>(entries_.size())) - 1;
  }

  /// Valid until the next intern() or clear().
  [[nodiscard]] std::string_view text(std::uint32_t id) const noexcept {
    return {text_.data() + entries_[id].offset, entries_[id].length};
  }

  /// Hash of the text: does not depend on what else was interned.
  [[nodiscard]] std::size_t hash(std::uint32_t id) const noexcept { return entries_[id].hash; }
  /// Different texts.
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  /// Forgets all texts.
  void clear() noexcept {
    entries_.clear();
    text_.clear();
    std::fill(table_.begin(), table_.end(), 0);
  }

 private:
  struct Entry {
    std::size_t hash = 0;
    std::size_t offset = 0;
    std::size_t length = 0;
  };

  void grow() {
    table_.assign(std::max<std::size_t>(64, 2 * table_.size()), 0);
    for (std::uint32_t id = 0; id < entries_.size(); ++id) {
      std::size_t at = entries_[id].hash & (table_.size() - 1);
      while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
      table_[at] = id + 1;
    }
  }

  std::string text_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> table_;  ///< id + 1; 0 is free
};

}  // namespace icpi
