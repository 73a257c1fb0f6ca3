// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/hash.hpp"
#include "icpi/prompt/alike_choice.hpp"
#include "icpi/prompt/example_selection.hpp"
#include "icpi/prompt/likeness_index.hpp"
#include "icpi/prompt/prompt_slots.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/rendered_transitions.hpp"

namespace icpi {

/// The examples of one question, chosen by likeness.
struct AlikePrompt {
  std::uint64_t identity = 0;       ///< of their texts: as long as it stays, they do
  bool chosen = false;              ///< whether `shown` is there too
  std::vector<TransitionId> shown;  ///< in their order in the prompt
};

/// Chooses the examples of world-model questions as AlikeExamples says. An index takes in what is new when it is asked.
/// Thread-safety: one object by one thread at a time. Pinned in memory.
class AlikePrompts {
 public:
  /// `source` and `rendered` must outlive it.
  AlikePrompts(const PromptSource& source, const RenderedTransitions& rendered, PromptSlots slots)
      : source_(&source), rendered_(&rendered), slots_(slots) {}

  /// Lets go what the source no longer holds. Before `rendered` does.
  void forget() {
    for (Slot& slot : indexes_) slot.index.forget([this](TransitionId id) { return source_->holds(id); });
  }

  /// Says which prompt a question has in an environment of so many actions; examples are chosen only where that is not
  /// known from before. `query` as for choose().
  void identify(const ExampleQuery& query, std::size_t actions, std::size_t count, AlikePrompt& prompt) {
    Slot& slot = up_to_date(query, actions);
    if (slot.known.size() > most_known || slot.room != query.room) slot.known.clear();
    slot.room = query.room;
    Known& known = slot.known[detail::fnv1a(query.text)];
    prompt.chosen = false;
    if (known.version != slot.index.version()) {
      choose(query, actions, count, prompt);
      known = {slot.index.version(), prompt.identity};
    }
    prompt.identity = known.identity;
  }

  /// Chooses the examples of a question: at most `count`, which take at most the query's room.
  void choose(const ExampleQuery& query, std::size_t actions, std::size_t count, AlikePrompt& prompt) {
    up_to_date(query, actions).index.find_alike(query.text, count, found_);
    choice_.choose(found_, count, query.room);
    prompt.chosen = true;
    prompt.shown.clear();
    prompt.identity = detail::fnv1a_basis;
    choice_.for_each([&](const AlikeRecord& each) {
      prompt.shown.push_back(each.id);
      prompt.identity = (prompt.identity ^ each.hash) * 0x9E3779B97F4A7C15;
      prompt.identity ^= prompt.identity >> 32U;
    });
  }

 private:
  /// Which prompt a question had.
  struct Known {
    std::uint64_t version = 0;  ///< of the index
    std::uint64_t identity = 0;
  };
  static constexpr std::size_t most_known = 1U << 14U;  ///< of a slot

  struct Slot {
    Slot(const RenderedTransitions& rendered, QueryKind kind) : index(rendered, kind) {}
    LikenessIndex index;
    std::size_t seen = 0;                            ///< transitions that have come so far
    std::size_t room = 0;                            ///< of those that are `known`
    std::unordered_map<std::uint64_t, Known> known;  ///< by the question's hash
  };

  Slot& up_to_date(const ExampleQuery& query, std::size_t actions) {
    while (indexes_.size() < PromptSlots::count(actions))
      indexes_.emplace_back(*rendered_, PromptSlots::kind(indexes_.size()));
    Slot& slot = indexes_[slots_(query.kind, query.action, query.terminated)];
    if (slot.seen != rendered_->size()) update(slot, query, actions);
    return slot;
  }

  void update(Slot& slot, const ExampleQuery& query, std::size_t actions) {
    const std::size_t first = slots_.constraints ? query.action : 0;
    const std::size_t last = slots_.constraints ? query.action + 1 : actions;
    for (std::size_t action = first; action < last; ++action) {
      for (const bool ended : {false, true}) {
        if (!slots_.qualifies(query.kind, query.terminated, ended)) continue;
        const TransitionIds ids = source_->matching(action, ended);
        for (std::size_t left = ids.size(); left > 0 && ids[left - 1] >= slot.seen; --left)
          slot.index.add(ids[left - 1], ended, answer_class(query.kind, ids[left - 1]));
      }
    }
    slot.seen = rendered_->size();
  }

  /// What examples of one class have in common. Valid until the next call.
  [[nodiscard]] std::string_view answer_class(QueryKind kind, TransitionId id) {
    class_.clear();
    if (kind == QueryKind::termination || kind == QueryKind::transition) add_answer(QueryKind::termination, id);
    if (kind == QueryKind::reward || kind == QueryKind::transition) add_answer(QueryKind::reward, id);
    return class_;
  }

  void add_answer(QueryKind kind, TransitionId id) {
    const TextPiece& piece = rendered_->piece(kind, id);
    class_.append(rendered_->text(piece).substr(piece.answer, piece.answer_end - piece.answer));
  }

  const PromptSource* source_;
  const RenderedTransitions* rendered_;
  PromptSlots slots_;
  std::deque<Slot> indexes_;  ///< by slot
  std::string class_;
  std::vector<AlikeRecord> found_;
  AlikeChoice choice_;
};

}  // namespace icpi
