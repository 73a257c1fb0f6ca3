// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/policy/agent.hpp"

namespace icpi {

/// Acts uniformly at random and learns nothing: the baseline below all others.
/// Thread-safety: one object by one thread at a time.
template <Environment Env>
class RandomAgent {
 public:
  using Observation = typename Env::Observation;  ///< of the environment
  using Action = typename Env::Action;            ///< of the environment

  /// Everything random comes from RandomKey(seed).child(1). Throws InvalidArgument for an environment without actions.
  explicit RandomAgent(const Env& env, std::uint64_t seed) : stream_(RandomKey(seed).child(1)) {
    actions_ = actions_of(env);
    if (actions_.empty()) throw InvalidArgument("random agent: the environment has no actions");
  }

  void begin_episode(const Observation&) {}                                            ///< see Agent
  Action act(const Observation&) { return actions_[stream_.index(actions_.size())]; }  ///< see Agent
  /// The same among these.
  template <RandomAccessRange Legal>
    requires RangeOf<Legal, Action>
  Action act(const Observation&, const Legal& legal) {
    const auto count = static_cast<std::size_t>(std::end(legal) - std::begin(legal));
    if (count == 0) throw InvalidArgument("random agent: no action is legal");
    return *(std::begin(legal) + static_cast<std::ptrdiff_t>(stream_.index(count)));
  }
  void observe(const Step<Observation>&) {}                             ///< see Agent
  [[nodiscard]] const Costs& costs() const noexcept { return costs_; }  ///< nothing

 private:
  RandomStream stream_;
  std::vector<Action> actions_;
  Costs costs_;
};

}  // namespace icpi
