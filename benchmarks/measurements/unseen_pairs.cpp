// SPDX-License-Identifier: MIT
// How well the embedded model predicts steps from (observation, action) pairs that its prompts do not show: after 5, 15
// and 30 random episodes, with the prompts and options that the library recommends. A prediction is right when it is
// the text of a possible result. Rewards are asked under the true termination, observations where the step does not end.

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/domains/all.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/prompt/prompted_rollout_model.hpp"
#include "icpi/prompt/typed_prompt_context.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "table_arguments.hpp"

namespace icpi::measurements {
namespace {

constexpr std::size_t test_episodes = 60;
constexpr std::size_t most_pairs = 60;  ///< of one seed

/// Right answers out of all.
struct Share {
  std::size_t right = 0;
  std::size_t all = 0;

  void add(bool is_right) {
    right += is_right ? 1 : 0;
    ++all;
  }
  [[nodiscard]] std::string cell() const {
    return all == 0 ? "-" : fmt::format("{:.3f} ({})", static_cast<double>(right) / static_cast<double>(all), all);
  }
};

/// What was asked, by kind. `blocked`: steps that change nothing, which an unseen wall or edge may be the reason of.
struct Accuracy {
  Share termination, reward, observation, blocked;
};

template <class Env>
TrajectoryOf<Env> random_episode(Env& env, RandomKey key) {
  RandomStream random(key.child(0));
  TrajectoryOf<Env> trajectory;
  auto observation = env.reset(key.child(1).seed());
  for (;;) {
    const auto action = env.actions()[random.index(env.actions().size())];
    const auto step = env.step(action);
    trajectory.push_back({observation, action, step.reward, step.terminated, step.truncated, step.observation});
    if (step.terminated || step.truncated) return trajectory;
    observation = step.observation;
  }
}

template <class Env>
class Examination {
 public:
  Examination(std::uint64_t seed, std::size_t episodes)
      : key_(RandomKey(seed)),
        memory_(
            env_, TrajectoryBuffer<Env>(env_), Formatter(formatter_), icpi::PolicyIterationOptions{}.prompts,
            [](std::string_view text) { return estimated_tokens(text); }, key_.child(2)),
        answers_(model_, icpi::PolicyIterationOptions{}.queries) {
    for (std::size_t episode = 0; episode < episodes; ++episode) {
      const auto trajectory = random_episode(env_, key_.child(0).child(episode));
      for (const auto& step : trajectory) seen_.insert(pair(step));
      memory_.append(trajectory);
    }
    memory_.begin_episode(0);
    answers_.serve_also(memory_);
  }

  void ask(Accuracy& accuracy) {
    if (!memory_.ready()) return;  // an action was never tried
    std::set<std::string> asked = seen_;
    for (std::size_t episode = 0; episode < test_episodes; ++episode) {
      for (const auto& step : random_episode(env_, key_.child(1).child(episode))) {
        if (asked.size() == seen_.size() + most_pairs) return;
        if (asked.insert(pair(step)).second) examine(step, accuracy);
      }
    }
  }

 private:
  using Formatter = default_formatter_t<Env>;
  using Memory = TypedPromptContext<Env, Formatter, TrajectoryBuffer<Env>>;

  [[nodiscard]] std::string pair(const TransitionOf<Env>& step) const {
    return std::string(formatter_.observation(step.observation)) + formatter_.action(step.action);
  }

  [[nodiscard]] std::uint32_t action_index(const typename Env::Action& action) const {
    std::uint32_t index = 0;
    while (!(env_.actions()[index] == action)) ++index;
    return index;
  }

  void examine(const TransitionOf<Env>& step, Accuracy& accuracy) {
    const auto here = memory_.observe(step.observation);
    const auto outcomes = env_.outcomes(step.observation, step.action);
    const auto possible = [&](auto&& matches) {
      for (const auto& outcome : outcomes)
        if (matches(outcome.step)) return true;
      return false;
    };
    const auto ask = [&](QueryKind kind) {
      Question question;
      question.kind = kind;
      question.terminated = kind == QueryKind::reward && step.terminated;
      question.action = action_index(step.action);
      question.observation = here;
      Answer answer;
      answers_.answer({&question, 1}, {&answer, 1});
      return answer;
    };
    const Answer ends = ask(QueryKind::termination);
    accuracy.termination.add(ends.status == AnswerStatus::valid &&
                             possible([&](const auto& s) { return s.terminated == ends.terminated; }));
    const Answer pays = ask(QueryKind::reward);
    accuracy.reward.add(pays.status == AnswerStatus::valid && possible([&](const auto& s) {
                          return s.terminated == step.terminated && s.reward == pays.reward;
                        }));
    if (step.terminated) return;
    const Answer next = ask(QueryKind::observation);
    const bool right = next.status == AnswerStatus::valid && possible([&](const auto& s) {
                         return formatter_.observation(s.observation) == memory_.text(next.observation);
                       });
    (step.next_observation == step.observation ? accuracy.blocked : accuracy.observation).add(right);
  }

  RandomKey key_;
  Env env_;
  Formatter formatter_{env_};
  Memory memory_;
  InductionModel model_;
  PromptedRolloutModel answers_;
  std::set<std::string> seen_;
};

template <class Env>
void measure(SeedRange seeds) {
  for (const std::size_t episodes : std::array<std::size_t, 3>{5, 15, 30}) {
    Accuracy accuracy;
    for (std::uint64_t seed = seeds.first; seed < seeds.last; ++seed) Examination<Env>(seed, episodes).ask(accuracy);
    fmt::print("| {}, {} episodes | {} | {} | {} | {} |\n", Env::name, episodes, accuracy.termination.cell(),
               accuracy.reward.cell(), accuracy.observation.cell(), accuracy.blocked.cell());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace icpi::measurements

int main(int argc, char** argv) {
  using namespace icpi;
  return measurements::print_table([&] {
    const SeedRange seeds = measurements::table_seeds(argc, argv, "0:20");
    fmt::print(
        "| right (asked), seeds {}:{} | termination | reward | observation, changed | observation, unchanged |\n"
        "|---|---|---|---|---|\n",
        seeds.first, seeds.last);
    for_each_domain([&]<class Env>(const Env&) { measurements::measure<Env>(seeds); });
  });
}
