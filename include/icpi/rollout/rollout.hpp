// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/costs.hpp"

namespace icpi {

/// Shape of imagined rollouts. Defaults are the paper's.
struct RolloutOptions {
  int step_limit = 6;           ///< simulated steps of a rollout, the first one included; >= 1
  int rollouts_per_action = 1;  ///< >= 1
  int attempts = 3;             ///< how often a question is put until its answer is valid; >= 1
  /// Ask for the reward under both terminations and for the next observation together with the termination: two rounds
  /// per simulated step in place of three, at the price of answers that are not needed.
  bool speculate = false;
  double random_action_rate = 0;  ///< part of the imagined actions, after the first, that are drawn uniformly

  friend bool operator==(const RolloutOptions&, const RolloutOptions&) = default;
};

/// Why a rollout ended.
enum class RolloutEnd : std::uint8_t {
  running,
  terminated,  ///< a terminal step was predicted
  step_limit,
  invalid,  ///< a termination, reward or observation stayed invalid; the return so far counts
  failed    ///< the infrastructure did not answer; the return so far counts
};

/// One imagined step.
struct ImaginedStep {
  ObservationId observation = 0;  ///< what is seen
  std::uint32_t action = 0;       ///< what is done
  double reward = 0;              ///< what is predicted to be gained
  bool terminated = false;        ///< whether it is predicted to end
};

/// One imagined trajectory as a state machine: it says which questions it needs answered now and takes the answers in
/// any order. A value; it knows no text.
/// Thread-safety: one object by one thread at a time.
class Rollout {
 public:
  /// Where a rollout begins.
  struct Start {
    std::uint32_t lane = 0;         ///< which agent imagines
    ObservationId observation = 0;  ///< where it begins
    std::uint32_t action = 0;       ///< what is done first
    std::uint32_t sample = 0;       ///< number among the rollouts of this action
    std::uint32_t actions = 0;      ///< how many the environment has
    double discount = 1;            ///< for later rewards
    RandomKey key;                  ///< this rollout's own
  };

  /// Begins anew, in the memory of the rollout before.
  void restart(const Start& start) {
    start_ = start;
    step_ = 0;
    acting_ = false;
    end_ = RolloutEnd::running;
    weight_ = 1;
    value_ = 0;
    now_ = {start.observation, start.action, 0, false};
    parts_ = {};
    steps_.clear();
  }

  /// Calls `ask(question)` for every question that is needed now and not on its way.
  template <class Ask>
  void ask(const RolloutOptions& options, Costs& costs, Ask&& ask) {
    if (done()) return;
    for (std::uint8_t part = 0; part < parts; ++part) {
      auto& pending = parts_[part];
      if (pending.state != State::idle || !wanted(static_cast<Part>(part), options)) continue;
      if (pending.attempt > 0) ++costs.retries;
      pending.state = State::asked;
      ask(question(static_cast<Part>(part), pending.attempt));
    }
  }

  /// Takes the answer to a question of ask(). Returns false when the rollout had no use for it any more.
  void take(const Question& question, const Answer& answer, const RolloutOptions& options, Costs& costs) {
    const Part part = part_of(question);
    if (done() || question.step != step_ || acting_ != (part == action)) {
      ++costs.wasted;
      return;
    }
    auto& pending = parts_[part];
    pending.answer = answer;
    if (answer.status == AnswerStatus::valid) {
      pending.state = State::valid;
    } else if (answer.status == AnswerStatus::impossible || answer.final ||
               static_cast<int>(pending.attempt) + 1 >= options.attempts) {
      pending.state = State::lost;
    } else {
      pending.state = State::idle;
      ++pending.attempt;
    }
    settle(options, costs);
  }

  /// Whether it has ended.
  [[nodiscard]] bool done() const noexcept { return end_ != RolloutEnd::running; }
  /// Why it ended.
  [[nodiscard]] RolloutEnd end() const noexcept { return end_; }

  /// Discounted sum of the predicted rewards.
  [[nodiscard]] double value() const noexcept { return value_; }
  /// What was imagined, first step first.
  [[nodiscard]] const std::vector<ImaginedStep>& steps() const noexcept { return steps_; }
  /// Where it began.
  [[nodiscard]] const Start& start() const noexcept { return start_; }

 private:
  enum Part : std::uint8_t { termination, reward, reward_if_terminated, observation, action, parts };
  enum class State : std::uint8_t { idle, asked, valid, lost };
  struct Pending {
    State state = State::idle;
    std::uint32_t attempt = 0;
    Answer answer;
  };

  static Part part_of(const Question& question) noexcept {
    switch (question.kind) {
      case QueryKind::termination: return termination;
      case QueryKind::reward: return question.terminated ? reward_if_terminated : reward;
      case QueryKind::observation: return observation;
      case QueryKind::action: break;
    }
    return action;
  }

  [[nodiscard]] Question question(Part part, std::uint32_t attempt) const {
    static constexpr std::array kinds{QueryKind::termination, QueryKind::reward, QueryKind::reward,
                                      QueryKind::observation, QueryKind::action};
    Question question;
    question.kind = kinds[part];
    question.terminated = part == reward_if_terminated;
    question.lane = start_.lane;
    question.action = part == action ? 0 : now_.action;
    question.observation = part == action ? parts_[observation].answer.observation : now_.observation;
    question.sample = start_.sample;
    question.attempt = attempt;
    question.step = step_;
    question.key = start_.key.child(step_ * query_kinds.size() + static_cast<std::size_t>(question.kind));
    return question;
  }

  [[nodiscard]] bool last_step(const RolloutOptions& options) const {
    return static_cast<int>(step_) + 1 >= options.step_limit;
  }

  /// Whether the answer to this part is needed, or likely to be.
  [[nodiscard]] bool wanted(Part part, const RolloutOptions& options) const {
    const bool known = parts_[termination].state == State::valid;
    const bool terminated = known && parts_[termination].answer.terminated;
    const bool guess = options.speculate && !known && parts_[part].attempt == 0;
    switch (part) {
      case termination: return true;
      case reward: return known ? !terminated : guess;
      case reward_if_terminated: return known ? terminated : guess;
      case observation: return !last_step(options) && (known ? !terminated : guess);
      default: return acting_;
    }
  }

  void settle(const RolloutOptions& options, Costs& costs) {
    if (acting_) return settle_action();
    const auto& ended = parts_[termination];
    if (ended.state == State::lost) {
      costs.wasted += answers(reward) + answers(reward_if_terminated) + answers(observation);
      return finish_without(ended);
    }
    if (ended.state != State::valid) return;
    const Part likely = ended.answer.terminated ? reward_if_terminated : reward;
    const auto& gain = parts_[likely];
    if (gain.state == State::lost) {
      costs.wasted += answers(likely == reward ? reward_if_terminated : reward) + answers(observation);
      return finish_without(gain);
    }
    if (gain.state != State::valid) return;
    const auto& next = parts_[observation];
    const bool leaves = ended.answer.terminated || last_step(options);
    if (!leaves && next.state != State::valid && next.state != State::lost) return;
    now_.terminated = ended.answer.terminated;
    now_.reward = gain.answer.reward;
    steps_.push_back(now_);
    value_ += weight_ * now_.reward;
    weight_ *= start_.discount;
    costs.wasted += answers(likely == reward ? reward_if_terminated : reward);
    if (now_.terminated) costs.wasted += answers(observation);
    if (leaves) {
      end_ = now_.terminated ? RolloutEnd::terminated : RolloutEnd::step_limit;
    } else if (next.state == State::lost) {
      finish_without(next);
    } else {
      begin_action(options);
    }
  }

  /// Answers that came to this part so far.
  [[nodiscard]] std::uint32_t answers(Part part) const {
    const auto& pending = parts_[part];
    return pending.attempt + (pending.state == State::valid || pending.state == State::lost ? 1 : 0);
  }

  void begin_action(const RolloutOptions& options) {
    acting_ = true;
    RandomStream stream(start_.key.child(action_stream + step_));
    if (options.random_action_rate > 0 && stream.uniform() < options.random_action_rate) {
      begin_step(static_cast<std::uint32_t>(stream.index(start_.actions)));
    }
  }

  void settle_action() {
    const auto& chosen = parts_[action];
    if (chosen.state == State::valid) {
      begin_step(chosen.answer.action);
    } else if (chosen.state == State::lost && chosen.answer.status == AnswerStatus::failed) {
      end_ = RolloutEnd::failed;
    } else if (chosen.state == State::lost) {
      RandomStream stream(start_.key.child(action_stream + step_).child(0));
      begin_step(static_cast<std::uint32_t>(stream.index(start_.actions)));
    }
  }

  void begin_step(std::uint32_t chosen) {
    now_ = {parts_[observation].answer.observation, chosen, 0, false};
    parts_ = {};
    acting_ = false;
    ++step_;
  }

  void finish_without(const Pending& missing) {
    end_ = missing.answer.status == AnswerStatus::failed ? RolloutEnd::failed : RolloutEnd::invalid;
  }

  static constexpr std::uint64_t action_stream = std::uint64_t{1} << 32;

  Start start_;
  std::uint32_t step_ = 0;
  bool acting_ = false;
  RolloutEnd end_ = RolloutEnd::running;
  double weight_ = 1;
  double value_ = 0;
  ImaginedStep now_;
  std::array<Pending, parts> parts_{};
  std::vector<ImaginedStep> steps_;
};

}  // namespace icpi
