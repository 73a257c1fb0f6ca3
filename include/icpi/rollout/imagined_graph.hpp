// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "icpi/concepts/rollout_model.hpp"
#include "icpi/rollout/decision_task.hpp"

namespace icpi {

/// The imagined MDP of one task, as far as a Planner has asked about it, and its solution.
/// Thread-safety: one object by one thread at a time.
struct ImaginedGraph {
  static constexpr std::uint32_t unknown = std::numeric_limits<std::uint32_t>::max();  ///< no node

  /// An imagined step from an observation.
  struct Edge {
    bool known = false;            ///< termination and reward are
    bool terminated = false;       ///< whether it is predicted to end
    bool legal = true;             ///< as far as is known
    double reward = 0;             ///< what is predicted to be gained
    std::uint32_t next = unknown;  ///< node number
  };

  std::vector<ObservationId> nodes;          ///< in the order of their discovery
  std::vector<std::uint32_t> numbers;        ///< by observation id
  std::vector<Edge> edges;                   ///< node x action
  std::vector<double> values;                ///< by node, as solve() goes on
  std::vector<double> next_values;           ///< with one more step to go
  std::size_t expanded = 0;                  ///< nodes whose actions were asked about
  std::size_t actions = 0;                   ///< of every node
  QueryKind first = QueryKind::termination;  ///< what is asked first about a step
  bool known_only = false;  ///< steps that there was no time to ask about are not taken, rather than worth nothing

  /// Begins at the task's observation, in the memory of the graph before.
  void start(const DecisionTask& task, bool whole_transitions) {
    actions = task.actions;
    first = whole_transitions ? QueryKind::transition : QueryKind::termination;
    nodes.clear();
    numbers.clear();
    edges.clear();
    expanded = 0;
    number(task.observation);
  }

  /// The node of this observation; a new one where there is none.
  std::uint32_t number(ObservationId observation) {
    if (observation >= numbers.size()) numbers.resize(observation + std::size_t{1}, unknown);
    if (numbers[observation] == unknown) {
      numbers[observation] = static_cast<std::uint32_t>(nodes.size());
      nodes.push_back(observation);
      edges.resize(nodes.size() * actions);
    }
    return numbers[observation];
  }

  /// Nothing is asked about other actions there, and nothing is expected of them.
  void limit(std::size_t node, LegalActions legal) {
    for (std::size_t action = 0; action < actions; ++action)
      edges[node * actions + action].legal = is_legal(legal, action);
  }

  /// Whether a plan may take this step.
  [[nodiscard]] bool counts(const Edge& edge) const { return edge.legal && (edge.known || !known_only); }

  /// What an edge is worth with these values of what comes after it; 0 where nothing is known.
  [[nodiscard]] double edge_value(const Edge& edge, double discount) const {
    if (!edge.known) return 0;
    return edge.reward + (edge.terminated || edge.next == unknown ? 0 : discount * values[edge.next]);
  }

  /// values = optimal values of all nodes with `horizon - 1` steps to go, then the root's actions with `horizon`.
  void solve(const DecisionTask& task, int horizon, ReturnTable& returns) {
    values.assign(nodes.size(), 0);
    for (int left = 1; left < horizon; ++left) {
      next_values.assign(nodes.size(), 0);
      for (std::size_t node = 0; node < nodes.size(); ++node) {
        double best = -std::numeric_limits<double>::infinity();
        bool any = false;
        for (const Edge& edge : std::span(edges).subspan(node * actions, actions)) {
          if (!counts(edge)) continue;
          best = std::max(best, edge_value(edge, task.discount));
          any = true;
        }
        next_values[node] = any ? best : 0;
      }
      if (next_values == values) break;  // nothing changes with more steps to go
      values.swap(next_values);
    }
    returns.resize(actions, 1);
    for (std::size_t action = 0; action < actions; ++action) {
      returns(action, 0) =
          counts(edges[action]) ? edge_value(edges[action], task.discount) : std::numeric_limits<double>::quiet_NaN();
    }
  }
};

}  // namespace icpi
