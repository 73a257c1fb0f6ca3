// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/error.hpp"
#include "icpi/prompt/prompt_source.hpp"

namespace icpi {

/// The environment's side of PromptSource: its actions, its formatter and the experience in its buffer.
/// Env, Formatter and Buffer as PolicyIteration demands them, which checks it.
/// Thread-safety: one object by one thread at a time.
template <class Env, class Formatter, class Buffer>
class TypedPromptSource final : public PromptSource {
 public:
  /// Takes the set of actions from `env`.
  TypedPromptSource(const Env& env, Buffer&& buffer, Formatter&& formatter)
      : buffer_(std::move(buffer)),
        formatter_(std::move(formatter)),
        stops_(formatter_),
        advisers_(env),
        actions_(actions_of(env)) {}

  /// All experience.
  [[nodiscard]] Buffer& buffer() noexcept { return buffer_; }
  /// What writes and reads.
  [[nodiscard]] const Formatter& formatter() const noexcept { return formatter_; }

  /// The text of an observation.
  [[nodiscard]] std::string write_observation(const typename Env::Observation& observation) const {
    return std::string(formatter_.observation(observation));
  }
  /// The texts of a transition; see write_transition for what it throws.
  [[nodiscard]] TransitionText write_step(const TransitionOf<Env>& transition) const {
    return write_transition<Env>(formatter_, transition, stops_);
  }

  [[nodiscard]] ConstantTexts constant_texts() const override {
    ConstantTexts texts(stops_);
    for (const auto& action : actions_) texts.add_action(formatter_.action(action));
    texts.episode_start = formatter_.episode_start();
    texts.going_on = formatter_.termination(false);
    texts.ended = formatter_.termination(true);
    return texts;
  }
  [[nodiscard]] TransitionText write(TransitionId id) const override { return write_step(buffer_[id]); }
  [[nodiscard]] TransitionText write_arriving(std::size_t number) const override {
    return write_step(arriving_[number]);
  }
  void store_arriving() override {
    if (extends_) {
      if constexpr (SharedReplayBuffer<Buffer, Env>) {
        buffer_.extend(running_, *arriving_);
      } else {
        buffer_.extend(*arriving_);
      }
    } else {
      buffer_.append(std::span<const TransitionOf<Env>>(arriving_, arriving_count_));
    }
  }

  /// A whole trajectory arrives next. A view; valid until it is stored.
  void announce(const TrajectoryOf<Env>& trajectory) noexcept {
    arriving_ = trajectory.data();
    arriving_count_ = trajectory.size();
    extends_ = false;
  }
  /// One more step of a running trajectory arrives next; a buffer that numbers none has only one. A view, as before.
  void announce(const TransitionOf<Env>& step, TrajectoryId running) noexcept {
    arriving_ = &step;
    arriving_count_ = 1;
    extends_ = true;
    running_ = running;
  }

  [[nodiscard]] std::optional<std::uint32_t> read_action(std::string_view text) const override {
    const auto action = formatter_.parse_action(text);
    if (!action) return std::nullopt;
    for (std::uint32_t index = 0; index < actions_.size(); ++index)
      if (actions_[index] == *action) return index;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> read_reward(std::string_view text) const override {
    return formatter_.parse_reward(text);
  }
  [[nodiscard]] std::optional<bool> read_termination(std::string_view text) const override {
    return formatter_.parse_termination(text);
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const override {
    return formatter_.accepts_observation(text);
  }

  /// Takes in what the environment has gained of actions, and calls take_in(). Where that throws, or buffer or formatter cannot
  /// grow, it is as before.
  template <class TakeIn>
  void grow(const Env& env, TakeIn&& take_in) {
    Formatter formatter = formatter_;
    if constexpr (requires { formatter.grow(env); }) formatter.grow(env);
    if constexpr (requires { buffer_.grow(env); })
      buffer_.grow(env);
    else
      throw InvalidArgument("the replay buffer has no grow(env): the environment must not gain actions");
    std::vector<typename Env::Action> actions = actions_of(env);
    std::swap(formatter_, formatter);
    actions_.swap(actions);
    try {
      take_in();
    } catch (...) {
      std::swap(formatter_, formatter);
      actions_.swap(actions);
      throw;
    }
  }

  /// Environment number `environment` of the agent is asked for itself alone; see LegalAdviser.
  void consult(std::uint64_t environment, const Env& env) { advisers_.consult(environment, env); }

  [[nodiscard]] bool limits_actions(std::uint64_t environment) const override {
    return TellsLegalActions<Formatter, Env> || advisers_.limits(environment);
  }
  [[nodiscard]] LegalSource find_legal([[maybe_unused]] std::uint64_t environment, std::string_view observation,
                                       std::vector<std::uint32_t>& legal) const override {
    [[maybe_unused]] const auto text = without_stop(observation, stops_[QueryKind::observation]);
    [[maybe_unused]] const auto take = [&](const auto& actions) { (void)places_among(actions, actions_, legal); };
    legal.clear();
    if constexpr (TellsLegalActions<Formatter, Env>) {
      if (const auto told = formatter_.legal_actions(text)) take(*told);
      if (!legal.empty()) return LegalSource::text;
    }
    if constexpr (HasLegalActions<Env> && ParsesObservations<Formatter, Env>) {
      const auto* adviser = advisers_.find(environment);
      if (adviser == nullptr) return LegalSource::all;
      if (const auto parsed = formatter_.parse_observation(text)) adviser->try_ask(*parsed, take);
      if (!legal.empty()) return LegalSource::environment;
    }
    return LegalSource::all;
  }

  [[nodiscard]] std::size_t recorded() const override { return buffer_.size() + departed(); }
  [[nodiscard]] std::size_t departed() const override {
    if constexpr (ForgetsTransitions<Buffer>) return buffer_.departed();
    return 0;
  }
  [[nodiscard]] bool holds(TransitionId id) const override {
    if constexpr (ForgetsTransitions<Buffer>) return buffer_.holds(id);
    return id < buffer_.size();
  }
  [[nodiscard]] std::size_t trajectory_count() const override { return buffer_.trajectory_count(); }
  [[nodiscard]] TransitionIds trajectory(std::size_t number) const override {
    if constexpr (std::convertible_to<decltype(buffer_.trajectory(number)), TransitionIds>) {
      return buffer_.trajectory(number);
    } else {
      static_assert(!ForgetsTransitions<Buffer>, "a buffer that forgets lists trajectories as spans of ids");
      const TransitionRange range = buffer_.trajectory(number);
      return detail::consecutive_ids(consecutive_, buffer_.size(), range);
    }
  }
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const override {
    return buffer_.matching(action, terminated);
  }
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const override {
    return buffer_.reward_classes(action, terminated);
  }
  [[nodiscard]] double undiscounted_return(TransitionIds ids) const override {
    double sum = 0;
    for (const TransitionId id : ids) {
      const TransitionOf<Env>& transition = buffer_[id];
      sum += transition.reward;
    }
    return sum;
  }

 private:
  Buffer buffer_;
  Formatter formatter_;
  StopStrings stops_;
  LegalAdvisers<Env> advisers_;
  std::vector<typename Env::Action> actions_;
  const TransitionOf<Env>* arriving_ = nullptr;
  std::size_t arriving_count_ = 0;
  bool extends_ = false;
  TrajectoryId running_ = 0;
  mutable std::vector<TransitionId> consecutive_;  ///< 0, 1, ...: what ranges of ids are shown as
};

}  // namespace icpi
