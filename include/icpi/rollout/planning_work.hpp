// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/rollout/asked_outcome.hpp"
#include "icpi/rollout/imagined_graph.hpp"
#include "icpi/rollout/planner.hpp"
#include "icpi/rollout/question_flow.hpp"
#include "icpi/rollout/value_estimator.hpp"

namespace icpi {

/// What a Planner does and keeps from run to run.
/// Thread-safety: one object by one thread at a time.
class PlanningWork {
 public:
  /// See Planner.
  void run(const Imagination& imagination, std::span<const DecisionTask> tasks, const PlanningOptions& options,
           std::span<DecisionResult> results) {
    const RolloutModelRef model = imagination.model();
    const Until& until = imagination.until();
    if (graphs_.size() < tasks.size()) graphs_.resize(tasks.size());
    chances_.resize(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      graphs_[i].start(tasks[i], model.whole_transitions(tasks[i].prompt_context));
      graphs_[i].hopes = imagination.hopes(tasks[i]);
      chances_[i].clear();
      for (std::uint32_t action = 0; options.outcomes > 1 && action < tasks[i].actions; ++action)
        chances_[i].push_back(imagination.experience(tasks[i], action));
      results[i].clear();
    }
    last_batch_.assign(tasks.size(), 0);
    int depth = 0;
    flow_.start(model, until);
    flow_.run(
        model,
        [&] {
          const auto end = depth + 1 == options.step_limit ? QueryKind::reward : QueryKind::observation;
          return imagine_layer({imagination, tasks, options, results, end}, until) && ++depth < options.step_limit;
        },
        [&](std::uint32_t number) { ++results[layer_[number].task].costs.wasted; });
    const bool over = until.over();
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      graphs_[i].known_only = over;
      graphs_[i].weigh();
      if (graphs_[i].hopes) hope(imagination, tasks[i], options.step_limit, graphs_[i]);
      graphs_[i].solve(tasks[i], options.step_limit, results[i].returns);
      results[i].cut_short = over;
    }
  }

  /// See Planner.
  [[nodiscard]] std::vector<PlannedStep> imagined(std::size_t task) const { return graphs_[task].steps(); }

 private:
  using Graph = ImaginedGraph;
  using Edge = Graph::Edge;
  using Item = AskedOutcome;

  /// Asks explorations of which steps from node `first` on all is unknown, whatever the model says.
  void leave_open(const Imagination& imagination, const DecisionTask& task, std::size_t first, Graph& graph) {
    graph.list_edges(judged_, places_, first);
    unknown_.resize(judged_.size());
    static_cast<void>(imagination.judge(task, judged_, unknown_));
    for (std::size_t i = 0; i < places_.size(); ++i) graph.edges[places_[i]].open = unknown_[i] >= 1;
  }

  /// Asks explorations how much of every edge is unknown.
  void hope(const Imagination& imagination, const DecisionTask& task, int horizon, Graph& graph) {
    graph.list_edges(judged_, places_);
    unknown_.resize(judged_.size());
    const Hope hope = imagination.judge(task, judged_, unknown_);
    graph.doubts.assign(graph.edges.size(), 0);
    for (std::size_t i = 0; i < places_.size(); ++i) graph.doubts[places_[i]] = unknown_[i];
    graph.hope_for(hope, horizon, task.discount);
  }

  /// What asking for one layer needs.
  struct Asking {
    const Imagination& imagination;
    std::span<const DecisionTask> tasks;
    const PlanningOptions& options;
    std::span<DecisionResult> results;
    QueryKind last;  ///< kind of the last question about a step
  };

  /// Asks about the nodes that were found last. New ones are numbered by parent and action when their layer has all its
  /// answers, so that the order of arrival changes nothing. Returns whether there was anything to ask.
  bool imagine_layer(const Asking& asking, const Until& until) {
    const RolloutModelRef model = asking.imagination.model();
    constexpr std::array kinds{QueryKind::termination, QueryKind::reward, QueryKind::observation};
    collect_layer(model, asking, until);
    for (const auto kind : kinds) {
      if (kind > asking.last) break;
      for (std::uint32_t item = 0; item < layer_.size(); ++item)
        if (layer_[item].asks(kind))
          put(item, kind == QueryKind::termination ? graphs_[layer_[item].task].first : kind, 0, asking);
      while (flow_.open() && !until.over()) take_answers(model, asking);
      if (flow_.asynchronous()) break;  // the other kinds were asked for meanwhile
    }
    for (const auto& item : layer_) {
      if (!item.goes_on) continue;
      auto& graph = graphs_[item.task];
      const auto next = graph.number(item.next);  // may move the edges
      outcome(item).next = next;
    }
    return !layer_.empty();
  }

  /// One outcome, or several where steps of the action have had different ones; what was seen first, where it is recalled.
  void collect_outcomes(std::uint32_t task, std::size_t edge_number, const Asking& asking) {
    Graph& graph = graphs_[task];
    const auto node = static_cast<std::uint32_t>(edge_number / graph.actions);
    const auto action = static_cast<std::uint32_t>(edge_number % graph.actions);
    seen_.clear();
    if (asking.options.recall) asking.imagination.recall(asking.tasks[task], graph.nodes[node], action, seen_);
    std::size_t times = 0;
    for (const SeenOutcome& each : seen_) times += each.times;
    const bool chance = asking.options.outcomes > 1 && chances_[task][action].chance();
    const std::size_t wanted = chance ? static_cast<std::size_t>(asking.options.outcomes) : 1;
    const std::size_t asked = wanted - std::min(wanted, times);
    Edge& edge = graph.edges[edge_number];
    graph.make_room(edge, seen_.size() + asked);
    for (std::uint32_t number = 0; number <= edge.count; ++number) {
      layer_.push_back({task, node, action, number});
      if (number < seen_.size())
        layer_.back().recall(seen_[number], asking.last, outcome(layer_.back()));
      else
        layer_.back().sample = number - static_cast<std::uint32_t>(seen_.size());
    }
  }

  [[nodiscard]] Graph::Outcome& outcome(const Item& item) {
    Graph& graph = graphs_[item.task];
    return graph.outcome(graph.edges[item.node * graph.actions + item.action], item.outcome);
  }

  /// Whether the answers to questions of this kind are drawn: where equal ones have had unequal answers.
  [[nodiscard]] bool drawn(const Item& item, QueryKind kind) const {
    if (chances_[item.task].empty()) return false;
    const ActionExperience& experience = chances_[item.task][item.action];
    switch (kind) {
      case QueryKind::termination: return experience.chance_termination;
      case QueryKind::reward: return experience.chance_reward;
      case QueryKind::observation: return experience.chance_observation;
      default: return experience.chance();
    }
  }

  void collect_layer(RolloutModelRef model, const Asking& asking, const Until& until) {
    layer_.clear();
    for (std::size_t task = 0; task < asking.tasks.size(); ++task) {
      const DecisionTask& deciding = asking.tasks[task];
      auto& graph = graphs_[task];
      const std::size_t first = graph.expanded;
      const std::size_t end = std::min(graph.nodes.size(), asking.options.node_limit);
      for (; graph.expanded < end && !until.over(); ++graph.expanded) {
        const LegalActions legal =
            graph.expanded == 0 ? deciding.legal : model.legal(deciding.prompt_context, graph.nodes[graph.expanded]);
        if (!legal.empty()) graph.limit(graph.expanded, legal);
      }
      if (graph.hopes) leave_open(asking.imagination, deciding, first, graph);
      for (std::size_t number = first * graph.actions; number < graph.expanded * graph.actions; ++number) {
        if (graph.edges[number].legal && !graph.edges[number].open)
          collect_outcomes(static_cast<std::uint32_t>(task), number, asking);
      }
    }
  }

  void put(std::uint32_t number, QueryKind kind, std::uint32_t attempt, const Asking& asking) {
    const auto& item = layer_[number];
    auto& costs = asking.results[item.task].costs;
    if (attempt > 0) ++costs.retries;
    flow_.ask(question(item, kind, asking.tasks, attempt), number);
    if (flow_.asynchronous() || last_batch_[item.task] == flow_.batch()) return;
    last_batch_[item.task] = flow_.batch();
    ++costs.rounds;
  }

  /// Takes what came and asks for what it did not settle. A model that answers one by one gets the next question about a
  /// step at once; others get one kind for the whole layer in one batch.
  void take_answers(RolloutModelRef model, const Asking& asking) {
    again_.clear();
    flow_.exchange(
        model, [](std::uint32_t) { return true; },
        [&](std::uint32_t number, const Question& question, const Answer& answer) {
          auto& item = layer_[number];
          item.take(question.kind, answer, asking.last, outcome(item));
          if (item.asks(question.kind)) {
            if (worth_another_attempt(answer, question.attempt, asking.options.attempts))
              again_.push_back({number, question.attempt + 1, question.kind});
          } else if (flow_.asynchronous() && question.kind < asking.last) {
            const auto next = static_cast<QueryKind>(static_cast<int>(question.kind) + 1);
            if (item.asks(next)) again_.push_back({number, 0, next});
          }
        });
    for (const auto& [number, attempt, kind] : again_) put(number, kind, attempt, asking);
  }

  [[nodiscard]] Question question(const Item& item, QueryKind kind, std::span<const DecisionTask> tasks,
                                  std::uint32_t attempt) const {
    const auto& task = tasks[item.task];
    Question question;
    question.kind = kind;
    question.terminated = item.terminated;
    question.prompt_context = task.prompt_context;
    question.action = item.action;
    question.observation = graphs_[item.task].nodes[item.node];
    question.attempt = attempt;
    question.key = task.key.child(std::uint64_t{item.node} << 32 | item.action).child(static_cast<std::uint64_t>(kind));
    question.drawn = drawn(item, kind);
    question.want_logprob = graphs_[item.task].hopes || question.drawn;
    if (question.drawn) question.sample = item.sample;
    if (item.sample > 0) question.key = question.key.child(item.sample);
    return question;
  }

  struct Again {
    std::uint32_t number, attempt;
    QueryKind kind;
  };

  std::vector<Graph> graphs_;
  std::vector<std::vector<ActionExperience>> chances_;  ///< by task and action, where outcomes may be several
  std::vector<PlannedStep> judged_;
  std::vector<std::size_t> places_;  ///< of judged_, among the edges
  std::vector<double> unknown_;      ///< of judged_
  std::vector<SeenOutcome> seen_;
  std::vector<Item> layer_;
  std::vector<Again> again_;
  std::vector<std::uint64_t> last_batch_;  ///< by task: in which it asked last
  QuestionFlow flow_;
};

}  // namespace icpi
