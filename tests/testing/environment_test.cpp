// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "icpi/domains/all.hpp"
#include "icpi/testing/check_environment.hpp"
#include "support/archetypes.hpp"
#include "support/gates.hpp"

namespace icpi::testing {
namespace {

TEST(CheckEnvironment, FindsNothingInTheDomains) {
  for_each_domain([](const auto& env) {
    const Report report = check_environment(env);
    EXPECT_TRUE(report.ok()) << env.facts().name << "\n" << report;
    EXPECT_GT(report.checks(), 100U);
  });
}

TEST(CheckEnvironment, FindsNothingInTheArchetypes) {
  EXPECT_TRUE(check_environment(archetype::Environment(3)).ok()) << check_environment(archetype::Environment(3));
  const Report report = check_environment(archetype::TransparentEnvironment(3));
  EXPECT_TRUE(report.ok()) << report;
}

/// The faults that an environment may have.
enum class Fault {
  none,
  no_actions,
  equal_actions,
  changing_actions,
  global_state,
  infinite_reward,
  discount,
  throws,
  both_flags,
  late_truncation,
  wrong_state,
  leaking_probability,
  unlisted_outcome,
  wrong_frequency,
  truncated_outcome,
};

int global_counter = 0;

/// A biased random walk with four steps, and one fault.
class Faulty {
 public:
  using Observation = int;
  using Action = int;
  explicit Faulty(Fault fault) : fault_(fault) {
    if (fault == Fault::no_actions) actions_.clear();
    if (fault == Fault::equal_actions) actions_ = {1, 1};
  }
  [[nodiscard]] const std::vector<int>& actions() const { return actions_; }
  int reset(std::uint64_t seed) {
    stream_ = RandomStream(RandomKey(seed));
    steps_ = 0;
    return state_ = 0;
  }
  void set_state(int state, std::uint64_t seed) {
    reset(seed);
    state_ = fault_ == Fault::wrong_state ? state + 1 : state;
  }
  Step<int> step(int action) {
    if (fault_ == Fault::throws && state_ == 2) throw std::runtime_error("no way");
    if (fault_ == Fault::changing_actions) actions_.push_back(static_cast<int>(actions_.size()));
    const bool stay = stream_.uniform() < (fault_ == Fault::wrong_frequency ? 0.4 : 0.25);
    if (!stay) state_ += fault_ == Fault::unlisted_outcome && steps_ == 3 ? 7 : 1 + action;
    ++steps_;
    double reward = 0;
    if (fault_ == Fault::global_state) reward = ++global_counter;
    if (fault_ == Fault::infinite_reward && state_ == 2) reward = std::numeric_limits<double>::infinity();
    const bool last = steps_ == (fault_ == Fault::late_truncation ? 5 : 4);
    return {state_, reward, last && fault_ == Fault::both_flags, last};
  }
  [[nodiscard]] double discount() const { return fault_ == Fault::discount ? 1.5 : 1; }
  [[nodiscard]] std::vector<Outcome<int>> outcomes(int state, int action) const {
    const double missing = fault_ == Fault::leaking_probability ? 0.05 : 0;
    return {{0.25 - missing, {state, 0, false, fault_ == Fault::truncated_outcome}},
            {0.75, {state + 1 + action, 0, false, false}}};
  }
  [[nodiscard]] int time_limit() const { return 4; }

 private:
  Fault fault_;
  std::vector<int> actions_{0, 1};
  RandomStream stream_{RandomKey{}};
  int state_ = 0;
  int steps_ = 0;
};
static_assert(StateSettable<Faulty> && Enumerable<Faulty>);

TEST(CheckEnvironment, CatchesEveryFault) {
  const Report sound = check_environment(Faulty(Fault::none));
  EXPECT_TRUE(sound.ok()) << sound;
  const std::vector<std::pair<Fault, std::string>> faults{
      {Fault::no_actions, "at least one action"},
      {Fault::equal_actions, "listed twice"},
      {Fault::changing_actions, "never changes"},
      {Fault::global_state, "equal episodes"},
      {Fault::infinite_reward, "finite"},
      {Fault::discount, "discount"},
      {Fault::throws, "carried out"},
      {Fault::both_flags, "not truncated as well"},
      {Fault::late_truncation, "truncated at time_limit()"},
      {Fault::wrong_state, "set_state"},
      {Fault::leaking_probability, "sum to one"},
      {Fault::unlisted_outcome, "one of outcomes"},
      {Fault::wrong_frequency, "draws from outcomes"},
      {Fault::truncated_outcome, "leaves time limits out"},
  };
  for (const auto& [fault, law] : faults) {
    const Report report = check_environment(Faulty(fault));
    EXPECT_TRUE(report.violates(law)) << law << "\n" << report;
  }
}

enum class LegalFault { none, forgetful, empty, unknown, by_state, throws };

/// A corridor in which one step in each direction is not always legal: doing what is not ends in an exception.
class LegalFaulty {
 public:
  using Observation = int;
  using Action = int;
  explicit LegalFaulty(LegalFault fault) : fault_(fault) {}
  [[nodiscard]] static std::array<int, 3> actions() { return {-1, 1, 2}; }
  [[nodiscard]] static double discount() { return 1; }
  [[nodiscard]] std::vector<int> legal_actions(int place) const {
    if (place == 3 && fault_ == LegalFault::empty) return {};
    if (place == 3 && fault_ == LegalFault::unknown) return {1, 7};
    if (place == 3 && fault_ == LegalFault::throws) throw std::runtime_error("no idea");
    if (fault_ == LegalFault::by_state && steps_ > 2) return {1};
    if (fault_ == LegalFault::forgetful && place != place_) return {};  // no fault
    return place == 0 ? std::vector<int>{1, 2} : place % 2 == 0 ? std::vector<int>{-1, 1} : std::vector<int>{-1, 2};
  }
  int reset(std::uint64_t seed) {
    steps_ = 0;
    return place_ = static_cast<int>(seed % 3);
  }
  Step<int> step(int action) {
    const auto legal = LegalFaulty(LegalFault::none).legal_actions(place_);
    const bool sound = fault_ == LegalFault::none || fault_ == LegalFault::forgetful;
    if (sound && std::find(legal.begin(), legal.end(), action) == legal.end()) throw std::logic_error("illegal");
    place_ += action;
    return {place_, 0, place_ > 7, place_ <= 7 && ++steps_ == 20};
  }

 private:
  LegalFault fault_;
  int place_ = 0;
  int steps_ = 0;
};
static_assert(HasLegalActions<LegalFaulty>);

TEST(CheckEnvironment, CatchesEveryFaultOfLegalActions) {
  const Report sound = check_environment(LegalFaulty(LegalFault::none));
  EXPECT_TRUE(sound.ok()) << sound;
  const Report forgetful = check_environment(LegalFaulty(LegalFault::forgetful));
  EXPECT_TRUE(forgetful.ok()) << forgetful;
  const Report gates = check_environment(Gates(true));
  EXPECT_TRUE(gates.ok()) << gates;
  const std::vector<std::pair<LegalFault, std::string>> faults{
      {LegalFault::empty, "at least one action where"},
      {LegalFault::unknown, "values of actions() alone"},
      {LegalFault::by_state, "where it is known, depends on o alone"},
      {LegalFault::throws, "carried out"},
  };
  for (const auto& [fault, law] : faults) {
    const Report report = check_environment(LegalFaulty(fault));
    EXPECT_TRUE(report.violates(law)) << law << "\n" << report;
  }
}

TEST(Report, PrintsEachBrokenLawOnALine) {
  Report report("thing");
  EXPECT_EQ(report.to_string(), "thing: every law held in 0 checks\n");
  EXPECT_TRUE(report.expect(true, "A.", [] { return "never"; }));
  EXPECT_FALSE(report.expect(false, "B.", [] { return "here"; }));
  EXPECT_FALSE(report.expect(false, "B.", [] { return "there"; }));
  EXPECT_EQ(report.checks(), 3U);
  EXPECT_EQ(report.to_string(), "thing: broken: B. Seen: here\n");
}

}  // namespace
}  // namespace icpi::testing
