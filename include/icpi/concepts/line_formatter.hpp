// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/text_scanner.hpp"
#include "icpi/core/transition.hpp"

namespace icpi {

namespace detail {

template <class F>
concept ReadsObservations = requires(const F& formatter, std::string_view text) {
  { formatter.parse_observation(text).has_value() } -> std::same_as<bool>;  // parse_observation(text): a const member
};

}  // namespace detail

/// Most of a PromptFormatter for texts of one line each. Inherit it and add
///
///     std::string observation(const Env::Observation&) const;                            // one line
///     std::string action(const Env::Action&) const;                                      // one line
///     std::optional<Env::Observation> parse_observation(std::string_view text) const;    // or accepts_observation
///
/// `Derived` is the inheriting class: `class MyFormatter : public LineFormatter<MyFormatter, MyEnv>`. A member of the
/// same name in `Derived` replaces any of the defaults below. Text handed to a parser comes without the stop string.
/// Thread-safety: const members may be called concurrently.
template <class Derived, class Env>
class LineFormatter {
  // Not a constraint of the template: where that fails, compilers go on to complain about the name of the base.
  static_assert(Environment<Env>, "icpi: LineFormatter<Derived, Env>: Env does not model icpi::Environment");

 public:
  using Observation = typename Env::Observation;  ///< of the environment
  using Action = typename Env::Action;            ///< of the environment

  /// Keeps the environment's actions: those are the answers that parse_action accepts.
  explicit LineFormatter(const Env& env) { LineFormatter::grow(env); }

  /// Takes in what the environment has gained of actions.
  void grow(const Env& env) {
    std::vector<Action> actions = actions_of(env);
    if (actions.size() > actions_.size()) actions_ = std::move(actions);
  }

  /// `assert reward == 0.5`: the shortest number that reads back exactly. Throws InvalidArgument unless finite.
  [[nodiscard]] std::string reward(double value) const {
    std::string text{reward_begin};
    return text.append(NumberText(value).view()).append("\n");
  }

  /// `assert done` or `assert not done`.
  [[nodiscard]] std::string termination(bool terminated) const {
    return terminated ? "assert done\n" : "assert not done\n";
  }

  /// A blank line, which separates trajectories, and `reset()`.
  [[nodiscard]] std::string episode_start() const { return "\nreset()\n"; }

  /// Observation, action and reward.
  [[nodiscard]] std::string trajectory_step(const Transition<Observation, Action>& transition) const {
    std::string text = derived().observation(transition.observation);
    text += derived().action(transition.action);
    text += derived().reward(transition.reward);
    return text;
  }

  /// The end of the line, for every kind.
  [[nodiscard]] std::string_view stop(QueryKind) const { return "\n"; }

  /// The action whose text is `text` and the stop string.
  [[nodiscard]] std::optional<Action> parse_action(std::string_view text) const {
    const auto& whole_stop = derived().stop(QueryKind::action);  // keeps a text that was made for this call
    const std::string_view stop = whole_stop;
    for (const Action& action : actions_) {
      const auto& whole = derived().action(action);
      const std::string_view candidate = whole;
      if (candidate.size() == text.size() + stop.size() && candidate.substr(0, text.size()) == text &&
          candidate.substr(text.size()) == stop)
        return action;
    }
    return std::nullopt;
  }

  /// Exactly what reward() writes for some finite value: `assert reward == 1`, not `1.0` and not `01`.
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    double value = 0;
    if (!TextScanner(text).literal(reward_begin).number(value).at_end()) return std::nullopt;
    return value;
  }

  /// `assert done` or `assert not done`.
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    if (text == "assert done") return true;
    if (text == "assert not done") return false;
    return std::nullopt;
  }

  /// Whether parse_observation reads it.
  [[nodiscard]] bool accepts_observation(std::string_view text) const {
    static_assert(
        detail::ReadsObservations<Derived>,
        "icpi: this formatter lacks parse_observation(text) const, or accepts_observation(text) in its place");
    if constexpr (detail::ReadsObservations<Derived>)
      return derived().parse_observation(text).has_value();
    else
      return false;  // where it is refused: no more than one error
  }

  /// The environment's actions, in its order.
  [[nodiscard]] const std::vector<Action>& actions() const noexcept { return actions_; }

 protected:
  /// What comes before the number in a reward's text.
  static constexpr std::string_view reward_begin = "assert reward == ";

 private:
  [[nodiscard]] const Derived& derived() const noexcept { return static_cast<const Derived&>(*this); }

  std::vector<Action> actions_;
};

}  // namespace icpi
