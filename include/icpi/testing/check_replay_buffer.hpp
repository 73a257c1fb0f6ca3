// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/random.hpp"
#include "icpi/testing/episodes.hpp"
#include "icpi/testing/report.hpp"

namespace icpi::testing {

/// How thoroughly a replay buffer is checked.
struct ReplayBufferCheck {
  int episodes = 30;   ///< random episodes that are recorded
  int max_steps = 50;  ///< longer episodes are cut
};

namespace detail {

/// What a buffer must hold, kept the plainest way, and the comparison with the buffer.
template <Environment Env, ReplayBuffer<Env> Buffer>
class BufferChecker {
 public:
  BufferChecker(const Env& env, Report& report) : report_(report), actions_(actions_of(env)) {}

  void add(const TransitionOf<Env>& transition) { all_.push_back(transition); }
  /// The transitions that no trajectory has yet are one.
  void close() {
    std::vector<TransitionId>& ids = trajectories_.emplace_back();
    for (std::size_t id = closed_; id < all_.size(); ++id) ids.push_back(static_cast<TransitionId>(id));
    closed_ = all_.size();
    may_forget_ = true;
  }
  /// These transitions are one.
  void close(std::vector<TransitionId> ids) {
    closed_ += ids.size();
    trajectories_.push_back(std::move(ids));
    may_forget_ = true;
  }
  /// The number of the next transition.
  [[nodiscard]] TransitionId next() const { return static_cast<TransitionId>(all_.size()); }

  /// Compares everything that the buffer serves. `moment`: when this is.
  void compare(const Buffer& buffer, const std::string& moment) {
    const auto describe = [&] { return moment; };
    if (!report_.expect(buffer.size() + departed(buffer) == all_.size(),
                        "The buffer holds every transition that was recorded, or counts it as departed.", describe))
      return;
    const std::vector<std::vector<TransitionId>> expected = trajectories_left(buffer, moment);
    for (TransitionId id = 0; id < all_.size(); ++id) {
      if (!holds(buffer, id)) continue;
      report_.expect(buffer[id] == all_[id], "Ids count from 0 in order of arrival and never change.", describe);
      report_.expect(buffer.action_index(id) == index_of(all_[id].action),
                     "action_index(id) is the action's place in actions().", describe);
    }
    constexpr std::string_view trajectories = "Complete trajectories are listed oldest first, the running one is not.";
    if (report_.expect(buffer.trajectory_count() == expected.size(), trajectories, describe))
      for (std::size_t i = 0; i < expected.size(); ++i)
        report_.expect(ids_of(buffer.trajectory(i)) == expected[i], trajectories, describe);
    for (std::size_t action = 0; action < actions_.size(); ++action)
      for (const bool terminated : {false, true}) compare_group(buffer, action, terminated, moment);
  }

  /// Transitions that came.
  [[nodiscard]] static std::size_t came(const Buffer& buffer) { return buffer.size() + departed(buffer); }

 private:
  [[nodiscard]] static std::size_t departed([[maybe_unused]] const Buffer& buffer) {
    if constexpr (ForgetsTransitions<Buffer>) return buffer.departed();
    return 0;
  }
  [[nodiscard]] static bool holds(const Buffer& buffer, TransitionId id) {
    if constexpr (ForgetsTransitions<Buffer>) return buffer.holds(id);
    return id < buffer.size();
  }

  /// The complete trajectories that a buffer which forgets must still list. Others are tried by the laws of forgetting.
  [[nodiscard]] std::vector<std::vector<TransitionId>> trajectories_left(const Buffer& buffer,
                                                                         const std::string& moment) {
    const auto describe = [&] { return moment; };
    std::vector<std::vector<TransitionId>> left;
    std::size_t gone = 0;
    for (const auto& ids : trajectories_) {
      const auto held = std::count_if(ids.begin(), ids.end(), [&](TransitionId id) { return holds(buffer, id); });
      gone += ids.size() - static_cast<std::size_t>(held);
      report_.expect(held == 0 || held == std::ssize(ids), "What leaves are whole trajectories.", describe);
      if (held != 0) left.push_back(ids);
    }
    report_.expect(gone == departed(buffer), "departed() counts what left; running trajectories stay.", describe);
    report_.expect(trajectories_.empty() || (!left.empty() && left.back() == trajectories_.back()),
                   "The newest complete trajectory stays.", describe);
    report_.expect(departed(buffer) == gone_before_ || (may_forget_ && departed(buffer) > gone_before_),
                   "Something leaves when a trajectory is complete, and never comes back.", describe);
    gone_before_ = departed(buffer);
    may_forget_ = false;
    return left;
  }

  [[nodiscard]] static std::vector<TransitionId> ids_of(TransitionIds ids) { return {ids.begin(), ids.end()}; }
  [[nodiscard]] static std::vector<TransitionId> ids_of(TransitionRange range) {
    std::vector<TransitionId> ids;
    for (auto id = range.first; id < range.last; ++id) ids.push_back(id);
    return ids;
  }

  [[nodiscard]] std::size_t index_of(const typename Env::Action& action) const {
    return static_cast<std::size_t>(std::find(actions_.begin(), actions_.end(), action) - actions_.begin());
  }

  void compare_group(const Buffer& buffer, std::size_t action, bool terminated, const std::string& moment) {
    const auto describe = [&] { return fmt::format("{}, action {}, terminated {}", moment, action, terminated); };
    std::vector<TransitionId> expected;
    std::set<double> rewards;
    for (TransitionId id = 0; id < all_.size(); ++id) {
      if (!holds(buffer, id) || index_of(all_[id].action) != action || all_[id].terminated != terminated) continue;
      expected.push_back(id);
      rewards.insert(all_[id].reward);
    }
    const std::span<const TransitionId> matching = buffer.matching(action, terminated);
    report_.expect(std::equal(matching.begin(), matching.end(), expected.begin(), expected.end()),
                   "matching() lists each transition with that action and termination once, oldest first.", describe);
    std::vector<TransitionId> classified;
    const std::span<const RewardClass> classes = buffer.reward_classes(action, terminated);
    for (const RewardClass& alike : classes) {
      bool own = false;
      bool only = true;
      for (const TransitionId id : alike.members) {
        const bool same = id < all_.size() && holds(buffer, id) && all_[id].reward == alike.reward;
        own = own || same;
        only = only && same;
      }
      report_.expect(own, "A reward class is not empty and is named after a member's reward.", describe);
      if (rewards.size() <= 2)
        report_.expect(only, "While there are few rewards, the members of a class have the same reward.", describe);
      report_.expect(std::is_sorted(alike.members.begin(), alike.members.end()),
                     "The members of a reward class are listed oldest first.", describe);
      classified.insert(classified.end(), alike.members.begin(), alike.members.end());
    }
    std::sort(classified.begin(), classified.end());
    report_.expect(classified == expected, "Each matching transition is in exactly one reward class.", describe);
  }

  Report& report_;
  std::vector<typename Env::Action> actions_;
  TrajectoryOf<Env> all_;
  std::vector<std::vector<TransitionId>> trajectories_;
  std::size_t closed_ = 0;       ///< transitions of complete trajectories
  std::size_t gone_before_ = 0;  ///< at the last comparison
  bool may_forget_ = false;      ///< a trajectory was complete since
};

/// Records episodes two by two, step by step in turn.
template <Environment Env, class Buffer>
void check_side_by_side(Env& env, Buffer& buffer, Report& report, const ReplayBufferCheck& check) {
  BufferChecker<Env, Buffer> expected(env, report);
  for (int number = 0; number + 1 < check.episodes; number += 2) {
    struct Running {
      TrajectoryOf<Env> episode;
      TrajectoryId id = 0;
      std::vector<TransitionId> ids;
    } both[2];
    for (std::uint64_t i = 0; i < 2; ++i) {
      const std::uint64_t seed = static_cast<std::uint64_t>(number) + i;
      both[i].episode = random_episode(env, seed, RandomKey(seed), check.max_steps);
      both[i].id = buffer.begin();
    }
    report.expect(both[0].id != both[1].id, "begin() gives every trajectory a number of its own.",
                  [] { return std::string("two that run side by side"); });
    for (std::size_t step = 0; step < std::max(both[0].episode.size(), both[1].episode.size()); ++step)
      for (Running& each : both) {
        if (step >= each.episode.size()) continue;
        each.ids.push_back(expected.next());
        expected.add(each.episode[step]);
        buffer.extend(each.id, each.episode[step]);
        if (step + 1 < each.episode.size()) continue;
        buffer.end(each.id);
        expected.close(each.ids);
        expected.compare(buffer, fmt::format("in episodes {} and {}, recorded side by side", number, number + 1));
      }
  }
}

}  // namespace detail

/// Tries the laws of ReplayBuffer, and those of SharedReplayBuffer and ForgetsTransitions where the buffer models them, on
/// random episodes of `env`; `make()` returns an empty buffer. Deterministic.
template <class Buffer, Environment Env, class Make>
  requires ReplayBuffer<Buffer, Env> && std::same_as<std::invoke_result_t<Make&>, Buffer>
Report check_replay_buffer(Env env, Make make, const ReplayBufferCheck& check = {}) {
  Report report("replay buffer");
  const auto body = [&] {
    Buffer whole = make();
    Buffer stepwise = make();
    detail::BufferChecker<Env, Buffer> expected(env, report);
    expected.compare(whole, "before anything was recorded");
    for (int number = 0; number < check.episodes; ++number) {
      const auto seed = static_cast<std::uint64_t>(number);
      const auto episode = random_episode(env, seed, RandomKey(seed), check.max_steps);
      for (const auto& transition : episode) {
        stepwise.extend(transition);
        expected.add(transition);
        expected.compare(stepwise, fmt::format("in episode {}, recorded step by step", number));
      }
      stepwise.close();
      expected.close();
      whole.append(episode);
      expected.compare(whole, fmt::format("after episode {}, recorded at once", number));
      expected.compare(stepwise, fmt::format("after episode {}, recorded step by step", number));
    }
    if constexpr (SharedReplayBuffer<Buffer, Env>) {
      Buffer shared = make();
      detail::check_side_by_side(env, shared, report, check);
    }
    auto spoilt = random_episode(env, 0, RandomKey(0), check.max_steps);
    spoilt.back().reward = std::numeric_limits<double>::quiet_NaN();
    const std::size_t before = expected.came(whole);
    try {
      whole.append(spoilt);
      report.expect(expected.came(whole) == before + spoilt.size(), "append() takes all of a trajectory or nothing.",
                    [] { return std::string("a trajectory whose last reward is not a number"); });
    } catch (const std::exception&) {
      expected.compare(whole, "after append() refused a trajectory whose last reward is not a number");
    }
  };
  report.expect_no_throw(body, "Every episode can be recorded.", [] { return std::string("an exception"); });
  return report;
}

/// The same for a buffer that is made from its environment.
template <class Buffer, Environment Env>
  requires ReplayBuffer<Buffer, Env> && std::constructible_from<Buffer, const Env&>
Report check_replay_buffer(Env env, const ReplayBufferCheck& check = {}) {
  Buffer empty(std::as_const(env));
  if constexpr (std::copy_constructible<Buffer>) {
    return check_replay_buffer<Buffer>(
        std::move(env), [&] { return Buffer(empty); }, check);
  } else {
    static_assert(std::copy_constructible<Env>, "pass a function that makes an empty buffer");
    return check_replay_buffer<Buffer>(
        env, [&] { return Buffer(std::as_const(env)); }, check);
  }
}

}  // namespace icpi::testing
