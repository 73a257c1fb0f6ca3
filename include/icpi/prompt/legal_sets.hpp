// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/prompt/legal_notes.hpp"
#include "icpi/prompt/memory_event.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/text_interner.hpp"

namespace icpi {

/// Gives equal sets of legal actions equal numbers 1, 2, ...; 0 is the empty one: all actions, or it is not known.
/// Thread-safety: one object by one thread at a time.
class LegalSetNumbers {
 public:
  /// The number of a set.
  [[nodiscard]] std::uint32_t number(LegalActions legal) {
    if (legal.empty()) return 0;
    const auto next = static_cast<std::uint32_t>(sets_.size() + 1);
    const auto [found, added] = numbers_.try_emplace({legal.begin(), legal.end()}, next);
    if (added) sets_.push_back(&found->first);
    return found->second;
  }
  /// The set of a number. Valid until clear().
  [[nodiscard]] LegalActions set(std::uint32_t number) const {
    return number == 0 ? LegalActions() : LegalActions(*sets_[number - 1]);
  }
  /// Different sets.
  [[nodiscard]] std::size_t size() const noexcept { return sets_.size(); }
  /// Forgets all.
  void clear() noexcept {
    numbers_.clear();
    sets_.clear();
    ++beginnings_;
  }
  /// How often all was forgotten.
  [[nodiscard]] std::uint64_t beginnings() const noexcept { return beginnings_; }

 private:
  std::map<std::vector<std::uint32_t>, std::uint32_t> numbers_;
  std::vector<const std::vector<std::uint32_t>*> sets_;  ///< inside numbers_
  std::uint64_t beginnings_ = 0;
};

/// Which actions are legal at the imagined observations of an agent in one environment: see LegalSource. What is legal
/// where it really stands is known here at once, and noted for the agent's other environments when the step is complete:
/// so it does not matter who decides together with whom.
/// Thread-safety: one object by one thread at a time.
class LegalSets {
 public:
  /// In environment number `environment` of `source`; both others must outlive this object.
  LegalSets(const PromptSource& source, LegalNotes& notes, LegalSetNumbers& numbers, std::uint64_t environment)
      : source_(&source), notes_(&notes), numbers_(&numbers), environment_(environment) {
    begin_decision();
  }

  /// The next decision begins: what others have noted counts.
  void begin_decision() {
    ++decision_;
    failure_ = nullptr;
    limits_ = source_->limits_actions(environment_);
  }

  /// These are legal at the real observation of this text, where a decision is made.
  void stand(std::string_view text, LegalActions legal) {
    note_here();
    here_ = {std::string(text), {legal.begin(), legal.end()}};
  }
  /// What came of that is over, or abandoned: others may know.
  void note_here() {
    if (here_) notes_->note(environment_, here_->text, here_->actions);
    here_.reset();
  }

  /// Who is asked has changed. So have the handles of observations when the numbers of sets begin anew.
  void forget_places() {
    places_.clear();
    limits_ = source_->limits_actions(environment_);
  }

  /// The number of the set that is legal at an observation of `observations`; found once a decision, and counted then.
  [[nodiscard]] std::uint32_t number_at(const TextInterner& observations, ObservationId observation,
                                        LegalSourceCounts& counts) {
    if (!limits_ && !here_ && notes_->empty()) return 0;  // nothing can be known, and nothing is counted
    if (std::exchange(beginnings_, numbers_->beginnings()) != numbers_->beginnings()) forget_places();
    if (observation >= places_.size()) places_.resize(observation + std::size_t{1});
    Place& place = places_[observation];
    if (place.decision != decision_) {
      look(observations.text(observation), place);
      place.decision = decision_;
      counts.count(place.source);
    }
    return place.set;
  }

  /// That the environment could not be asked any more since the decision began, or null. It was not asked again.
  [[nodiscard]] const std::exception_ptr& failure() const noexcept { return failure_; }

 private:
  struct Place {
    std::uint64_t decision = 0;  ///< of the last look
    LegalSource source = LegalSource::all;
    bool asked = false;     ///< text and environment: they say the same until places are forgotten
    std::uint32_t set = 0;  ///< its number
  };

  void look(std::string_view text, Place& place) {
    if (!place.asked) ask(text, place);
    if (place.source == LegalSource::text || place.source == LegalSource::environment) return;
    const bool here = here_ && here_->text == text;
    const LegalActions seen = here ? LegalActions(here_->actions) : notes_->find(environment_, text);
    place.source = seen.empty() ? LegalSource::all : LegalSource::seen;
    place.set = numbers_->number(seen);
  }

  void ask(std::string_view text, Place& place) {
    if (failure_) return;
    try {
      place.source = source_->find_legal(environment_, text, found_);
    } catch (const EnvironmentUnreachable&) {
      failure_ = std::current_exception();
      return;
    }
    place.asked = true;
    if (place.source != LegalSource::all) place.set = numbers_->number(found_);
  }

  const PromptSource* source_;
  LegalNotes* notes_;
  LegalSetNumbers* numbers_;
  std::uint64_t environment_;
  std::uint64_t decision_ = 0;
  std::uint64_t beginnings_ = 0;    ///< of the numbers, when places were last looked at
  bool limits_ = false;             ///< the source may know something
  std::optional<SavedLegal> here_;  ///< not yet noted
  std::exception_ptr failure_;
  std::vector<Place> places_;         ///< by observation
  std::vector<std::uint32_t> found_;  ///< asked for last
};

}  // namespace icpi
