// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/rollout/imagined_graph.hpp"

namespace icpi {

/// An outcome of an edge in the layer that a Planner is imagining, until all is known of it that is asked.
/// Thread-safety: one object by one thread at a time.
struct AskedOutcome {
  /// What is known.
  enum class Stage : std::uint8_t {
    asking,     ///< nothing
    predicted,  ///< whether it ends
    rewarded,   ///< and what is gained
    finished    ///< all, or nothing more is asked
  };

  std::uint32_t task = 0;       ///< which of the planner's
  std::uint32_t node = 0;       ///< of its graph
  std::uint32_t action = 0;     ///< done there
  std::uint32_t outcome = 0;    ///< which of the edge's
  std::uint32_t sample = 0;     ///< which of those that are asked for
  bool terminated = false;      ///< once it is known
  bool goes_on = false;         ///< `next` is known
  ObservationId next = 0;       ///< numbered once the whole layer is known
  Stage stage = Stage::asking;  ///< how far it is

  /// Whether a question of this kind is to be put.
  [[nodiscard]] bool asks(QueryKind kind) const noexcept {
    switch (kind) {
      case QueryKind::transition:
      case QueryKind::termination: return stage == Stage::asking;
      case QueryKind::reward: return stage == Stage::predicted;
      default: return stage == Stage::rewarded && !terminated;
    }
  }

  /// It is what was recorded; `edge` is its place in the graph, `last` the kind of the last question about a step.
  void recall(const SeenOutcome& seen, QueryKind last, ImaginedGraph::Outcome& edge) noexcept {
    edge.take(seen);
    terminated = seen.terminated;
    goes_on = !seen.terminated && last == QueryKind::observation;
    next = seen.next;
    stage = Stage::finished;
  }

  /// Takes in the answer to a question of this kind.
  void take(QueryKind kind, const Answer& answer, QueryKind last, ImaginedGraph::Outcome& edge) noexcept {
    if (answer.status == AnswerStatus::impossible || answer.final) stage = Stage::finished;
    if (answer.status == AnswerStatus::valid) edge.logprob += answer.logprob;
    if (kind == QueryKind::transition) return take_transition(answer, last, edge);
    if (answer.status != AnswerStatus::valid) return;
    switch (kind) {
      case QueryKind::termination:
        terminated = answer.terminated;
        stage = Stage::predicted;
        break;
      case QueryKind::reward:
        edge.known = true;
        edge.terminated = terminated;
        edge.reward = answer.reward;
        stage = Stage::rewarded;
        break;
      default:
        goes_on = true;
        next = answer.observation;
        stage = Stage::finished;
    }
  }

 private:
  /// A transition tells as much as it has parts; a later attempt at it tells anew. The last question about a step needs no
  /// observation.
  void take_transition(const Answer& answer, QueryKind last, ImaginedGraph::Outcome& edge) noexcept {
    if (answer.parts == 2 && last == QueryKind::reward) stage = Stage::finished;
    if (answer.status == AnswerStatus::valid) stage = Stage::finished;
    if (answer.parts < 2) return;
    edge.known = true;
    edge.terminated = answer.terminated;
    edge.reward = answer.reward;
    goes_on = answer.parts == 3 && last == QueryKind::observation;
    next = answer.observation;
  }
};

}  // namespace icpi
