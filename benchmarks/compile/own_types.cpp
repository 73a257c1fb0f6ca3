// SPDX-License-Identifier: MIT
// A user's unit in which everything is the user's own: environment, formatter, model and buffer. scripts/measure-compile
// measures what it takes to compile; it is compiled against other revisions too.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/icpi.hpp"

namespace {

/// A corridor whose doors are open (1) or shut (0); leaving by the last one is rewarded.
class Corridor {
 public:
  using Observation = std::array<int, 2>;
  using Action = int;

  static std::array<int, 2> actions() { return {0, 1}; }
  static double discount() { return 0.9; }

  Observation reset(std::uint64_t seed) {
    icpi::RandomStream random{icpi::RandomKey(seed)};
    at_ = {static_cast<int>(random.index(length)), static_cast<int>(random.index(2))};
    steps_ = 0;
    return at_;
  }

  icpi::Step<Observation> step(int action) {
    const bool moves = action == at_[1];
    at_ = {at_[0] + (moves ? 1 : 0), 1 - at_[1]};
    const bool out = at_[0] == length;
    return {at_, out ? 1.0 : 0.0, out, !out && ++steps_ == 10};
  }

 private:
  static constexpr int length = 4;
  Observation at_{};
  int steps_ = 0;
};

class CorridorText {
 public:
  static std::string observation(const Corridor::Observation& seen) {
    return "cell " + std::to_string(seen[0]) + " door " + std::to_string(seen[1]) + "\n";
  }
  static std::string action(int action) { return action == 0 ? "wait\n" : "push\n"; }
  static std::string reward(double value) { return value == 0 ? "nothing\n" : value == 1 ? "a prize\n" : "a riddle\n"; }
  static std::string termination(bool terminated) { return terminated ? "over\n" : "on\n"; }
  static std::string episode_start() { return "\nenter\n"; }
  static std::string trajectory_step(const icpi::Transition<Corridor::Observation, int>& step) {
    return observation(step.observation) + action(step.action) + reward(step.reward);
  }
  static std::string_view stop(icpi::QueryKind) { return "\n"; }

  static std::optional<int> parse_action(std::string_view text) {
    if (text == "wait") return 0;
    return text == "push" ? std::optional(1) : std::nullopt;
  }
  static std::optional<double> parse_reward(std::string_view text) {
    if (text == "nothing") return 0.0;
    return text == "a prize" ? std::optional(1.0) : std::nullopt;
  }
  static std::optional<bool> parse_termination(std::string_view text) {
    if (text == "over") return true;
    return text == "on" ? std::optional(false) : std::nullopt;
  }
  static bool accepts_observation(std::string_view text) { return text.starts_with("cell "); }
};

/// Answers as the last example does.
class LastAnswer {
 public:
  [[nodiscard]] static std::string identity() { return "last answer"; }
  static void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      std::string_view prompt = requests[i].prefix.text;
      while (prompt.ends_with('\n')) prompt.remove_suffix(1);
      completions[i].text = prompt.substr(prompt.rfind('\n') + 1);
      completions[i].finish = icpi::FinishReason::stop;
      completions[i].error.category = icpi::ErrorCategory::none;
    }
  }
};

/// The least that a buffer must do.
class CorridorMemory {
 public:
  using Kept = icpi::Transition<Corridor::Observation, int>;

  explicit CorridorMemory(const Corridor&) {}

  void append(std::span<const Kept> trajectory) {
    for (const Kept& transition : trajectory) extend(transition);
    close();
  }
  void extend(const Kept& transition) {
    const auto id = static_cast<icpi::TransitionId>(kept_.size());
    kept_.push_back(transition);
    Group& group = groups_[group_of(static_cast<std::size_t>(transition.action), transition.terminated)];
    group.members.push_back(id);
    std::size_t place = 0;
    while (place < group.classes.size() && group.classes[place].reward != transition.reward) ++place;
    if (place == group.classes.size()) group.classes.push_back({transition.reward, {}});
    group.classes[place].members.push_back(id);
  }
  void close() {
    const auto first = ranges_.empty() ? 0 : ranges_.back().last;
    const auto last = static_cast<icpi::TransitionId>(kept_.size());
    if (first < last) ranges_.push_back({first, last});
  }

  [[nodiscard]] std::size_t size() const { return kept_.size(); }
  const Kept& operator[](icpi::TransitionId id) const { return kept_[id]; }
  [[nodiscard]] std::size_t action_index(icpi::TransitionId id) const {
    return static_cast<std::size_t>(kept_[id].action);
  }
  [[nodiscard]] std::size_t trajectory_count() const { return ranges_.size(); }
  [[nodiscard]] icpi::TransitionRange trajectory(std::size_t number) const { return ranges_[number]; }
  [[nodiscard]] icpi::TransitionIds matching(std::size_t action, bool terminated) const {
    return groups_[group_of(action, terminated)].members;
  }
  [[nodiscard]] std::span<const icpi::RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return groups_[group_of(action, terminated)].classes;
  }

 private:
  struct Group {
    std::vector<icpi::TransitionId> members;
    std::vector<icpi::RewardClass> classes;
  };

  static std::size_t group_of(std::size_t action, bool terminated) { return 2 * action + (terminated ? 1 : 0); }

  std::vector<Kept> kept_;
  std::vector<icpi::TransitionRange> ranges_;
  std::array<Group, 4> groups_;
};

}  // namespace

int main() {
  Corridor env;
  LastAnswer model;
  icpi::PolicyIteration<Corridor, LastAnswer, CorridorText, CorridorMemory> agent(env, model, {.seed = 1}, {});
  agent.callbacks().on_episode = [](const auto& trajectory) {
    std::printf("%zu steps, reward %g\n", trajectory.size(), trajectory.back().reward);
  };
  agent.train(env, {.episodes = 20});
  std::printf("evaluation: %g\n", agent.evaluate(env));
}
