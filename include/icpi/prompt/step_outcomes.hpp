// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/replay_buffer.hpp"

namespace icpi {

/// What came of recorded steps, counted by the texts of observation and action.
/// Thread-safety: const members may be called concurrently.
class StepOutcomes {
 public:
  /// A recorded step. Views, valid during the call.
  struct Step {
    std::string_view head;                    ///< observation and action
    std::string_view action;                  ///< the last part of `head`
    std::array<std::string_view, 3> answers;  ///< termination, reward, next observation
    bool terminated = false;                  ///< whether it ended
    double gained = 0;                        ///< the reward itself
    TransitionId id = 0;                      ///< its place in the buffer; later steps have higher ones
  };

  /// A step like those that came out in one of several ways, and how many they are.
  struct Example {
    TransitionId id = 0;    ///< of the last of them
    std::size_t times = 0;  ///< at least 1
  };

  /// Takes a step in.
  void add(const Step& step) {
    Outcomes& outcomes = heads_[std::string(step.head)];
    Summary& summary = actions_[std::string(step.action)];
    summary.count(outcomes.counts(), -1);
    ++outcomes.times;
    for (const QueryKind kind : kinds) outcomes.add(hash_of(step, kind), step.id);
    summary.count(outcomes.counts(), 1);
    note_gain(step);
    ++steps_;
    ++places_[place(step)];
  }

  /// Takes a step out that was taken in, the first of those that are equal. The highest gains stay: see forget_gains().
  void remove(const Step& step) {
    const auto found = heads_.find(std::string(step.head));
    Outcomes& outcomes = found->second;
    Summary& summary = actions_[std::string(step.action)];
    summary.count(outcomes.counts(), -1);
    for (const QueryKind kind : kinds) outcomes.remove(hash_of(step, kind));
    --outcomes.times;
    summary.count(outcomes.counts(), 1);
    if (outcomes.times == 0) heads_.erase(found);
    --steps_;
    const auto left = places_.find(place(step));
    if (--left->second == 0) places_.erase(left);
  }

  /// Forgets what was gained, of all steps. note_gain() of those that are left comes next.
  void forget_gains() noexcept {
    for (auto& [action, summary] : actions_) summary.highest_going_on = summary.highest_ending = ActionExperience::none;
  }
  /// Takes in what this step gained alone.
  void note_gain(const Step& step) {
    Summary& summary = actions_[std::string(step.action)];
    double& highest = step.terminated ? summary.highest_ending : summary.highest_going_on;
    highest = std::max(highest, step.gained);
  }

  /// Whether a step begins with this observation and action.
  [[nodiscard]] bool seen(const std::string& head) const { return heads_.contains(head); }

  /// What came of steps that begin so.
  [[nodiscard]] OutcomeCounts counts(const std::string& head) const {
    const auto found = heads_.find(head);
    return found == heads_.end() ? OutcomeCounts{} : found->second.counts();
  }

  /// The last of every kind of outcome of steps that begin so, in the order in which these first came.
  void examples(const std::string& head, std::vector<Example>& examples) const {
    examples.clear();
    const auto found = heads_.find(head);
    if (found == heads_.end()) return;
    for (const auto& each : found->second.different)
      if (each.kind() == QueryKind::transition) examples.push_back({each.last, each.times});
  }

  /// What is known of the action with this text.
  [[nodiscard]] ActionExperience experience(const std::string& action) const {
    const auto found = actions_.find(action);
    if (found == actions_.end()) {
      ActionExperience never;
      never.steps = steps_;
      never.places = places_.size();
      return never;
    }
    const Summary& summary = found->second;
    return {summary.observations,
            summary.repeated,
            summary.unequal,
            summary.terminations > 0,
            summary.rewards > 0,
            summary.next_observations > 0,
            summary.highest_going_on,
            summary.highest_ending,
            steps_,
            places_.size()};
  }

 private:
  static constexpr std::array kinds{QueryKind::termination, QueryKind::reward, QueryKind::observation,
                                    QueryKind::transition};

  /// What came of one observation and action: the different answers, of all kinds.
  struct Outcomes {
    /// One answer by its hash, and how often it came.
    struct Answer {
      std::size_t hash = 0;   ///< see hash_of
      TransitionId last = 0;  ///< of the step that it came of last
      std::size_t times = 0;  ///< at least 1

      [[nodiscard]] QueryKind kind() const noexcept { return static_cast<QueryKind>(hash & kind_mask); }  ///< asked
    };

    std::size_t times = 0;
    std::vector<Answer> different;

    [[nodiscard]] std::vector<Answer>::iterator find(std::size_t hash) {
      return std::find_if(different.begin(), different.end(), [hash](const Answer& each) { return each.hash == hash; });
    }
    void add(std::size_t hash, TransitionId id) {
      auto found = find(hash);
      if (found == different.end()) found = different.insert(found, {hash, id, 0});
      found->last = id;
      ++found->times;
    }
    void remove(std::size_t hash) {
      const auto found = find(hash);
      if (--found->times == 0) different.erase(found);
    }

    [[nodiscard]] OutcomeCounts counts() const {
      OutcomeCounts counts{times, 0, 0, 0};
      for (const Answer& each : different) {
        switch (each.kind()) {
          case QueryKind::termination: ++counts.terminations; break;
          case QueryKind::reward: ++counts.rewards; break;
          case QueryKind::observation: ++counts.observations; break;
          default: break;
        }
      }
      return counts;
    }
  };

  /// Of the observations where an action was done: how many there are, and at how many its steps differed, by kind.
  struct Summary {
    std::size_t observations = 0, repeated = 0, unequal = 0, terminations = 0, rewards = 0, next_observations = 0;
    double highest_going_on = ActionExperience::none;
    double highest_ending = ActionExperience::none;

    /// Takes in (`sign` 1) or out (-1) what came of it at one observation; nothing where it was never done.
    void count(const OutcomeCounts& outcomes, int sign) noexcept {
      if (outcomes.times == 0) return;
      const auto one = static_cast<std::size_t>(sign);
      observations += one;
      if (outcomes.times > 1) repeated += one;
      if (outcomes.terminations > 1 || outcomes.rewards > 1 || outcomes.observations > 1) unequal += one;
      if (outcomes.terminations > 1) terminations += one;
      if (outcomes.rewards > 1) rewards += one;
      if (outcomes.observations > 1) next_observations += one;
    }
  };

  static constexpr std::size_t kind_mask = 7;

  /// The observation of a step, by its hash.
  static std::size_t place(const Step& step) {
    return std::hash<std::string_view>()(step.head.substr(0, step.head.size() - step.action.size()));
  }

  /// Of what came of a step: of one of its answers, or, of a whole transition, of all three. Ends in the kind.
  static std::size_t hash_of(const Step& step, QueryKind kind) {
    const auto hash = std::hash<std::string_view>();
    std::size_t sum = 0;
    if (kind == QueryKind::transition)
      for (const std::string_view each : step.answers) sum = sum * 31 + hash(each);
    else
      sum = hash(step.answers[static_cast<std::size_t>(kind)]);
    return (sum & ~kind_mask) | static_cast<std::size_t>(kind);
  }

  std::unordered_map<std::string, Outcomes> heads_;
  std::unordered_map<std::string, Summary> actions_;     ///< by text
  std::unordered_map<std::size_t, std::size_t> places_;  ///< how many steps there are, by observation
  std::size_t steps_ = 0;
};

}  // namespace icpi
