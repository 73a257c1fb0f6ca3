// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/prompt/example_sampler.hpp"
#include "icpi/prompt/example_selection.hpp"
#include "icpi/prompt/prompt_writer.hpp"
#include "icpi/prompt/rendered_transitions.hpp"

namespace icpi {

/// Lets a user's ExampleSelection choose, and writes what it chose. A prefix keeps its identity as long as it only grows.
/// Thread-safety: one object by one thread at a time.
class ChosenExamples {
 public:
  /// Writes the chosen examples into an empty `out`. Returns those that come first and are shared, which prompts of the
  /// same `slot` may have in common; the view is one of `out`. Throws Error when the strategy breaks its laws.
  PromptPrefix write(std::size_t slot, const ExampleSelection& selection, const ExampleQuery& query,
                     const ExampleClasses& classes, const RenderedTransitions& rendered, RandomStream& stream,
                     PromptWriter& out) {
    collect(query.kind, classes, rendered);
    choice_.clear();
    selection->select(query, candidates_, stream, choice_);
    check(selection, query.room);
    for (const std::size_t place : choice_.prefix) add(query.kind, place, rendered, out);
    const std::size_t shared = out.size();
    for (const std::size_t place : choice_.query) add(query.kind, place, rendered, out);
    const std::string_view prefix = out.text().substr(0, shared);
    return {prefix.empty() ? 0 : identify(slot, prefix), prefix};
  }

 private:
  void check(const ExampleSelection& selection, std::size_t room) const {
    std::size_t tokens = 0;
    for (const auto* part : {&choice_.prefix, &choice_.query}) {
      for (const std::size_t place : *part) {
        if (place >= candidates_.size())
          throw Error(fmt::format("{} chose example {} of {}", selection.description(), place, candidates_.size()));
        tokens += candidates_[place].tokens;
      }
    }
    if (tokens > room)
      throw Error(
          fmt::format("{} chose examples of {} tokens; there is room for {}", selection.description(), tokens, room));
  }

  void add(QueryKind kind, std::size_t place, const RenderedTransitions& rendered, PromptWriter& out) const {
    rendered.append(rendered.piece(kind, candidates_[place].id), out);
  }

  void collect(QueryKind kind, const ExampleClasses& classes, const RenderedTransitions& rendered) {
    candidates_.clear();
    for (const auto& each : classes.classes()) {
      for (const auto part : each.parts) {
        for (const TransitionId id : part) {
          const auto& piece = rendered.piece(kind, id);
          candidates_.push_back(
              {id, rendered.question(id), rendered.text(piece), piece.tokens, each.key, each.terminated});
        }
      }
    }
  }

  /// The identity of a text that is new, or goes on where the last one of this slot ended.
  std::uint64_t identify(std::size_t slot, std::string_view prefix) {
    if (slot >= last_.size()) last_.resize(slot + 1);
    Prefix& last = last_[slot];
    if (last.identity == 0 || !prefix.starts_with(last.text)) last.identity = new_prefix_identity();
    last.text = prefix;
    return last.identity;
  }

  struct Prefix {
    std::uint64_t identity = 0;
    std::string text;
  };

  std::vector<ExampleCandidate> candidates_;
  ExampleChoice choice_;
  std::vector<Prefix> last_;  ///< by slot
};

}  // namespace icpi
