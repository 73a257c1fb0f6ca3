// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <Eigen/Core>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/options.hpp"

namespace icpi {

/// How TabularQ learns. Defaults are those of the paper's baseline.
struct TabularQOptions {
  std::uint64_t seed = 0;    ///< of everything random in the agent
  double learning_rate = 1;  ///< in (0, 1]
  double initial_value = 1;  ///< of every action: optimistic
  /// Bootstrap past terminal steps, as the authors' code does, instead of counting them as the end.
  bool bootstrap_past_terminal = false;
  double success_threshold = 0;  ///< an episode whose discounted return reaches it counts for the warm-up
  WarmUp warm_up{};              ///< n = such episodes
};

/// Q-learning with a table (Watkins 1989), greedy after the paper's warm-up, ties at random.
///
/// Observations need an order, for the table. Thread-safety: one thread at a time.
template <Environment Env>
  requires requires(const typename Env::Observation& o) {
    { o < o } -> std::convertible_to<bool>;
  }
class TabularQ {
 public:
  using Observation = typename Env::Observation;  ///< of the environment
  using Action = typename Env::Action;            ///< of the environment

  /// Throws InvalidArgument for an environment without actions and for options out of range.
  explicit TabularQ(const Env& env, const TabularQOptions& options = {})
      : options_(options), discount_(env.discount()), stream_(RandomKey(options.seed).child(1)) {
    actions_ = actions_of(env);
    if (actions_.empty()) throw InvalidArgument("tabular Q: the environment has no actions");
    if (!(options.learning_rate > 0 && options.learning_rate <= 1))
      throw InvalidArgument(
          fmt::format("tabular Q: learning_rate is {}; allowed: above 0, at most 1", options.learning_rate));
    if (!std::isfinite(options.initial_value))
      throw InvalidArgument(fmt::format("tabular Q: initial_value is {}; allowed: finite", options.initial_value));
  }

  /// See Agent.
  void begin_episode(const Observation&) {
    acted_.reset();
    episode_return_ = 0;
    weight_ = 1;
  }

  /// See Agent.
  Action act(const Observation& observation) { return choose(observation, {}); }
  /// The same among these. Those that were never legal keep their initial value, and count in the maxima of steps that
  /// led there.
  template <RandomAccessRange Legal>
    requires RangeOf<Legal, Action>
  Action act(const Observation& observation, const Legal& legal) {
    std::vector<std::uint32_t> places;
    if (places_among(legal, actions_, places) > 0 || places.empty())
      throw InvalidArgument("tabular Q: legal actions must be the environment's, at least one");
    return choose(observation, places);
  }

  /// See Agent. Throws InvalidArgument, and changes nothing, when the reward is not finite or no action waits.
  void observe(const Step<Observation>& step) {
    if (!acted_) throw InvalidArgument("observe: no action is waiting for its result");
    if (!std::isfinite(step.reward))
      throw InvalidArgument(fmt::format("observe: the reward {} is not finite", step.reward));
    double target = step.reward;
    if (!step.terminated || options_.bootstrap_past_terminal) target += discount_ * values(step.observation).maxCoeff();
    double& value = values(*acted_)(static_cast<Eigen::Index>(action_));
    value += options_.learning_rate * (target - value);
    acted_.reset();
    episode_return_ += weight_ * step.reward;
    weight_ *= discount_;
    if ((step.terminated || step.truncated) && episode_return_ >= options_.success_threshold) ++successes_;
  }

  /// The value of every action at `observation`, in the environment's order.
  [[nodiscard]] Eigen::ArrayXd action_values(const Observation& observation) const {
    const auto found = table_.find(observation);
    return found != table_.end() ? found->second : initial();
  }

  [[nodiscard]] const Costs& costs() const noexcept { return costs_; }  ///< nothing

 private:
  [[nodiscard]] Eigen::ArrayXd initial() const {
    return Eigen::ArrayXd::Constant(static_cast<Eigen::Index>(actions_.size()), options_.initial_value);
  }

  Eigen::ArrayXd& values(const Observation& observation) {
    return table_.try_emplace(observation, initial()).first->second;
  }

  Action choose(const Observation& observation, LegalActions legal) {
    acted_ = observation;
    if (stream_.uniform() < options_.warm_up.probability(successes_)) {
      action_ = legal.empty() ? greedy(values(observation)) : legal[greedy(values_of(observation, legal))];
    } else {
      action_ = draw_legal(legal, actions_.size(), stream_);
    }
    return actions_[action_];
  }

  Eigen::ArrayXd values_of(const Observation& observation, LegalActions legal) {
    const Eigen::ArrayXd& all = values(observation);
    Eigen::ArrayXd some(static_cast<Eigen::Index>(legal.size()));
    for (std::size_t i = 0; i < legal.size(); ++i) some(static_cast<Eigen::Index>(i)) = all(legal[i]);
    return some;
  }

  std::size_t greedy(const Eigen::ArrayXd& values) {
    const double best = values.maxCoeff();
    std::size_t skip = stream_.index(static_cast<std::size_t>((values == best).count()));
    std::size_t action = 0;
    while (values(static_cast<Eigen::Index>(action)) != best || skip-- > 0) ++action;
    return action;
  }

  TabularQOptions options_;
  double discount_;
  RandomStream stream_;
  std::vector<Action> actions_;
  std::map<Observation, Eigen::ArrayXd> table_;
  std::optional<Observation> acted_;
  std::size_t action_ = 0;
  double episode_return_ = 0;
  double weight_ = 1;
  std::size_t successes_ = 0;
  Costs costs_;
};

}  // namespace icpi
