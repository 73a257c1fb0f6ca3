// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "icpi/concepts/legal_actions.hpp"
#include "icpi/prompt/memory_event.hpp"

namespace icpi {

/// Which actions were legal at the real observations of an agent, by their texts: what its environments share of it.
/// Thread-safety: one object by one thread at a time.
class LegalNotes {
 public:
  /// Notes kept: when there would be more, they begin anew, so that memory ends.
  static constexpr std::size_t most_notes = 1U << 16U;

  /// These were legal at a real observation of this text in this environment, at least one.
  void note(std::uint64_t environment, std::string_view text, LegalActions legal) {
    auto found = by_text_.find(text);
    if (found == by_text_.end() || !has(found->second, environment)) {
      if (notes_ == most_notes) clear();
      found = by_text_.try_emplace(std::string(text)).first;
      ++notes_;
    } else {
      std::erase_if(found->second, [environment](const Note& each) { return each.environment == environment; });
    }
    found->second.push_back({environment, {legal.begin(), legal.end()}});
  }

  /// The last set noted at this text in this environment, else in any other. Empty: there is none. Valid until the next
  /// change.
  [[nodiscard]] LegalActions find(std::uint64_t environment, std::string_view text) const {
    const auto found = by_text_.find(text);
    if (found == by_text_.end()) return {};
    for (const Note& each : found->second)
      if (each.environment == environment) return each.actions;
    return found->second.back().actions;
  }

  /// Texts for which known(text) is false leave.
  template <class Known>
  void forget(const Known& known) {
    std::erase_if(by_text_, [&](const auto& noted) {
      if (known(noted.first)) return false;
      notes_ -= noted.second.size();
      return true;
    });
  }

  /// Whether nothing is noted.
  [[nodiscard]] bool empty() const noexcept { return by_text_.empty(); }

  /// What was noted last at each text, by text.
  [[nodiscard]] std::vector<SavedLegal> noted() const {
    std::vector<SavedLegal> all;
    for (const auto& [text, notes] : by_text_) all.push_back({text, notes.back().actions});
    std::sort(all.begin(), all.end(),
              [](const SavedLegal& left, const SavedLegal& right) { return left.text < right.text; });
    return all;
  }

 private:
  struct Note {
    std::uint64_t environment = 0;
    std::vector<std::uint32_t> actions;
  };

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  static bool has(const std::vector<Note>& notes, std::uint64_t environment) {
    return std::any_of(notes.begin(), notes.end(),
                       [environment](const Note& each) { return each.environment == environment; });
  }

  void clear() noexcept {
    by_text_.clear();
    notes_ = 0;
  }

  /// At each text one note of each environment, the newest last.
  std::unordered_map<std::string, std::vector<Note>, TextHash, std::equal_to<>> by_text_;
  std::size_t notes_ = 0;
};

}  // namespace icpi
