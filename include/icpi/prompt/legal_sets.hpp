// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/prompt/memory_event.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/text_interner.hpp"

namespace icpi {

/// Which actions are legal at the observations of an agent, real and imagined, by their texts: see LegalSource.
/// Thread-safety: one object by one thread at a time.
class LegalSets {
 public:
  /// Texts kept: when there would be more, they begin anew, so that memory ends.
  static constexpr std::size_t most_texts = 1U << 16U;

  /// Where neither formatter nor environment can be asked, as the source says, and nothing is noted, every action is legal
  /// everywhere, and nothing is counted.
  explicit LegalSets(const PromptSource& source) : active_(source.limits_actions()) {}

  /// These were legal at a real observation of this text.
  void note(std::string_view text, LegalActions legal) {
    active_ = true;
    auto found = seen_.find(text);
    if (found == seen_.end()) {
      if (seen_.size() == most_texts) seen_.clear();
      found = seen_.try_emplace(std::string(text)).first;
    }
    found->second.assign(legal.begin(), legal.end());
  }

  /// Texts for which known(text) is false leave.
  template <class Known>
  void forget(const Known& known) {
    std::erase_if(seen_, [&](const auto& noted) { return !known(noted.first); });
  }

  /// The handles of observations begin anew.
  void forget_places() noexcept {
    places_.clear();
    sets_.clear();
  }

  /// What is legal at an observation of `observations`, found once a `round` of decisions, and counted for who asks first.
  /// Valid until the next call.
  [[nodiscard]] LegalActions at(const PromptSource& source, const TextInterner& observations, ObservationId observation,
                                std::uint64_t round, LegalSourceCounts& counts) {
    if (!active_) return {};
    if (observation >= places_.size()) places_.resize(observation + std::size_t{1});
    Place& place = places_[observation];
    if (place.round != round) {
      ask(source, observations.text(observation), place);
      place.round = round;
      counts.count(place.source);
    }
    if (place.source == LegalSource::all) return {};
    return LegalActions(sets_).subspan(place.begin, place.count);
  }

  /// Everything noted, by text.
  [[nodiscard]] std::vector<SavedLegal> noted() const {
    std::vector<SavedLegal> all;
    for (const auto& [text, actions] : seen_) all.push_back({text, actions});
    std::sort(all.begin(), all.end(),
              [](const SavedLegal& left, const SavedLegal& right) { return left.text < right.text; });
    return all;
  }

 private:
  struct Place {
    std::uint64_t round = ~std::uint64_t{0};  ///< of the last look
    LegalSource source = LegalSource::all;
    bool asked = false;                          ///< text and environment: they say the same for an episode
    std::size_t begin = 0, count = 0, room = 0;  ///< in `sets_`
  };

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  void ask(const PromptSource& source, std::string_view text, Place& place) {
    if (!place.asked) {
      place.source = source.find_legal(text, found_);
      place.asked = true;
      if (place.source != LegalSource::all) keep(found_, place);
    }
    if (place.source == LegalSource::text || place.source == LegalSource::environment) return;
    const auto known = seen_.find(text);
    place.source = known == seen_.end() ? LegalSource::all : LegalSource::seen;
    if (known != seen_.end()) keep(known->second, place);
  }

  /// Where the place has no room of its own yet, it gets some; sets of one text rarely differ.
  void keep(const std::vector<std::uint32_t>& set, Place& place) {
    if (set.size() > place.room) {
      place.begin = sets_.size();
      place.room = set.size();
      sets_.resize(sets_.size() + set.size());
    }
    std::copy(set.begin(), set.end(), sets_.begin() + static_cast<std::ptrdiff_t>(place.begin));
    place.count = set.size();
  }

  bool active_;  ///< anything may be known
  std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>> seen_;
  std::vector<Place> places_;         ///< by observation
  std::vector<std::uint32_t> sets_;   ///< of places, one after the other
  std::vector<std::uint32_t> found_;  ///< asked for last
};

}  // namespace icpi
