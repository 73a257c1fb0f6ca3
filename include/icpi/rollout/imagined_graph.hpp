// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/hope.hpp"

namespace icpi {

/// The imagined MDP of one task, as far as a Planner has asked about it, and its solution.
/// Thread-safety: one object by one thread at a time.
struct ImaginedGraph {
  static constexpr std::uint32_t unknown = std::numeric_limits<std::uint32_t>::max();  ///< no node

  /// One way in which an imagined step may turn out.
  struct Outcome {
    bool known = false;            ///< termination and reward are
    bool terminated = false;       ///< whether it is predicted to end
    double reward = 0;             ///< what is predicted to be gained
    std::uint32_t next = unknown;  ///< node number
    double logprob = 0;            ///< of all that was predicted, where it was asked for
    double weight = 1;             ///< in the mean of its edge's outcomes; see weigh()
    bool seen = false;             ///< it is recorded experience, not the model's

    /// It is this, and `next` comes when it has a number.
    void take(const SeenOutcome& recorded) noexcept {
      seen = known = true;
      terminated = recorded.terminated;
      reward = recorded.reward;
      weight = static_cast<double>(recorded.times);
    }

    /// Whether both predict the same.
    [[nodiscard]] bool alike(const Outcome& other) const noexcept {
      return known == other.known && terminated == other.terminated && reward == other.reward && next == other.next;
    }
  };

  /// An imagined step from an observation.
  struct Edge : Outcome {
    bool legal = true;        ///< as far as is known
    bool open = false;        ///< all of it is unknown, whatever the model says: it is not asked about
    std::uint32_t first = 0;  ///< where among `others` further outcomes of it are
    std::uint32_t count = 0;  ///< how many there are
  };

  std::vector<ObservationId> nodes;          ///< in the order of their discovery
  std::vector<std::uint32_t> numbers;        ///< by observation id
  std::vector<Edge> edges;                   ///< node x action
  std::vector<Outcome> others;               ///< of edges that have several
  std::vector<double> values;                ///< by node, as solve() goes on
  std::vector<double> next_values;           ///< with one more step to go
  std::size_t expanded = 0;                  ///< nodes whose actions were asked about
  std::size_t actions = 0;                   ///< of every node
  QueryKind first = QueryKind::termination;  ///< what is asked first about a step
  bool known_only = false;     ///< steps that there was no time to ask about are not taken, rather than worth nothing
  bool hopes = false;          ///< whether explorations say what may be hoped for
  std::vector<double> doubts;  ///< by edge: how much of it is unknown, 0 to 1; empty: nothing is
  std::vector<double> hoped;   ///< what that is worth, by steps left
  std::optional<double> hoped_in_part;  ///< the same of what is known in part, if it differs

  /// Begins at the task's observation, in the memory of the graph before.
  void start(const DecisionTask& task, bool whole_transitions) {
    actions = task.actions;
    first = whole_transitions ? QueryKind::transition : QueryKind::termination;
    nodes.clear();
    numbers.clear();
    edges.clear();
    others.clear();
    doubts.clear();
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
  [[nodiscard]] bool counts(const Edge& edge) const {
    if (!known_only || edge.known || edge.open) return edge.legal;
    const auto more = std::span(others).subspan(edge.first, edge.count);
    return edge.legal && std::any_of(more.begin(), more.end(), [](const Outcome& each) { return each.known; });
  }

  /// Gives an edge so many outcomes, at least 1.
  void make_room(Edge& edge, std::size_t outcomes) {
    edge.first = static_cast<std::uint32_t>(others.size());
    edge.count = static_cast<std::uint32_t>(outcomes - 1);
    others.resize(others.size() + edge.count);
  }

  /// Outcome number `number` of an edge.
  [[nodiscard]] Outcome& outcome(Edge& edge, std::uint32_t number) {
    return number == 0 ? static_cast<Outcome&>(edge) : others[edge.first + number - 1];
  }

  /// What an outcome is worth with these values of what comes after it; 0 where nothing is known.
  [[nodiscard]] double outcome_value(const Outcome& outcome, double discount) const {
    if (!outcome.known) return 0;
    return outcome.reward + (outcome.terminated || outcome.next == unknown ? 0 : discount * values[outcome.next]);
  }

  /// What an edge is predicted to be worth: the mean of its known outcomes.
  [[nodiscard]] double predicted_value(const Edge& edge, double discount) const {
    if (edge.count == 0) return outcome_value(edge, discount);
    double sum = edge.weight * outcome_value(edge, discount);
    double known = edge.known ? edge.weight : 0;
    for (const Outcome& each : std::span(others).subspan(edge.first, edge.count)) {
      sum += each.weight * outcome_value(each, discount);
      known += each.known ? each.weight : 0;
    }
    return known == 0 ? 0 : sum / known;
  }

  /// Where the model tells how likely it holds the outcomes that it predicts of an edge, they count by that, however often
  /// they were drawn. Beside outcomes that were seen they count as many times as there are of them, all the same.
  void weigh() {
    for (Edge& edge : edges) {
      std::uint32_t seen = 0;
      while (seen <= edge.count && outcome(edge, seen).seen) ++seen;
      bool told = edge.count > 0;
      for (std::uint32_t i = seen; told && i <= edge.count; ++i) told = outcome(edge, i).logprob < 0;
      if (!told || seen > edge.count) continue;
      double sum = 0;
      for (std::uint32_t i = seen; i <= edge.count; ++i) {
        Outcome& each = outcome(edge, i);
        double times = 0;
        for (std::uint32_t j = seen; j <= edge.count; ++j) times += each.alike(outcome(edge, j)) ? 1 : 0;
        each.weight = std::exp(each.logprob) / times;
        sum += each.weight;
      }
      const double scale = seen > 0 ? (edge.count + 1 - seen) / sum : 1;
      for (std::uint32_t i = seen; i <= edge.count; ++i) outcome(edge, i).weight *= scale;
    }
  }

  /// What edge number `number` is worth with `left` steps to go, it included: what is predicted, and for what is unknown
  /// of it what is hoped for.
  [[nodiscard]] double edge_value(std::size_t number, int left, double discount) const {
    const double predicted = predicted_value(edges[number], discount);
    if (doubts.empty() || doubts[number] == 0) return predicted;
    const double most = hoped[static_cast<std::size_t>(left)];
    return doubts[number] == 1 ? most
                               : (1 - doubts[number]) * predicted + doubts[number] * hoped_in_part.value_or(most);
  }

  /// Takes in what may be hoped for; `doubts` are set.
  void hope_for(Hope hope, int horizon, double discount) {
    hoped_in_part.reset();
    if (hope.boundless) {
      hoped_in_part = largest_reward();
      Hope{1, 1}.discounted(horizon, discount, hoped);
      hope.step = -std::numeric_limits<double>::infinity();
      hope.last = *hoped_in_part * hoped.back() / std::max(std::pow(discount, horizon), 1e-100);
    }
    hope.discounted(horizon, discount, hoped);
  }

  /// The size of the largest reward that was imagined; 1 where all are 0.
  [[nodiscard]] double largest_reward() const {
    double largest = 0;
    for (const Edge& edge : edges) largest = std::max(largest, std::abs(edge.reward));
    for (const Outcome& each : others) largest = std::max(largest, std::abs(each.reward));
    return largest > 0 ? largest : 1;
  }

  /// Every outcome of every legal action at the expanded nodes.
  [[nodiscard]] std::vector<PlannedStep> steps() const {
    std::vector<PlannedStep> steps;
    for (std::size_t number = 0; number < expanded * actions; ++number) {
      const Edge& edge = edges[number];
      if (!edge.legal) continue;
      steps.push_back(step(number, edge));
      for (const Outcome& other : std::span(others).subspan(edge.first, edge.count))
        steps.push_back(step(number, other));
    }
    return steps;
  }
  /// The first outcome of each from node `from` on, and the numbers of their edges.
  void list_edges(std::vector<PlannedStep>& steps, std::vector<std::size_t>& places, std::size_t from = 0) const {
    steps.clear();
    places.clear();
    for (std::size_t number = from * actions; number < expanded * actions; ++number) {
      if (!edges[number].legal) continue;
      steps.push_back(step(number, edges[number]));
      places.push_back(number);
    }
  }
  /// An outcome of edge number `number`.
  [[nodiscard]] PlannedStep step(std::size_t number, const Outcome& outcome) const {
    const bool goes_on = outcome.next != unknown;
    return {nodes[number / actions],
            static_cast<std::uint32_t>(number % actions),
            outcome.known,
            outcome.terminated,
            outcome.reward,
            goes_on,
            goes_on ? nodes[outcome.next] : 0,
            std::exp(outcome.logprob)};
  }

  /// values = optimal values of all nodes with `horizon - 1` steps to go, then the root's actions with `horizon`.
  void solve(const DecisionTask& task, int horizon, ReturnTable& returns) {
    values.assign(nodes.size(), 0);
    for (int left = 1; left < horizon; ++left) {
      next_values.assign(nodes.size(), 0);
      for (std::size_t node = 0; node < nodes.size(); ++node) {
        double best = -std::numeric_limits<double>::infinity();
        bool any = false;
        for (std::size_t number = node * actions; number < (node + 1) * actions; ++number) {
          if (!counts(edges[number])) continue;
          best = std::max(best, edge_value(number, left, task.discount));
          any = true;
        }
        next_values[node] = any ? best : 0;
      }
      if (doubts.empty() && next_values == values) break;  // nothing changes with more steps to go
      values.swap(next_values);
    }
    returns.resize(actions, 1);
    for (std::size_t action = 0; action < actions; ++action) {
      returns(action, 0) =
          counts(edges[action]) ? edge_value(action, horizon, task.discount) : std::numeric_limits<double>::quiet_NaN();
    }
  }
};

}  // namespace icpi
