// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "environment_program.hpp"
#include "icpi/core/error.hpp"
#include "icpi/process/environment.hpp"
#include "icpi/testing/check_environment.hpp"
#include "icpi/testing/check_formatter.hpp"
#include "printable.hpp"

namespace icpi::program {

namespace {

using testing::Report;

/// Takes a legal action in the place of one that is not: the same one in the same state.
template <class Base>
class LegalActions : public Base {
 public:
  explicit LegalActions(Base env) : Base(std::move(env)) {}

  auto step(const std::string& action) {
    const auto& legal = Base::legal_actions();
    if (legal.empty() || std::find(legal.begin(), legal.end(), action) != legal.end()) return Base::step(action);
    const auto& all = Base::actions();
    const auto number = static_cast<std::size_t>(std::find(all.begin(), all.end(), action) - all.begin());
    return Base::step(std::string(legal[number % legal.size()]));
  }
};

using Checked = LegalActions<ProcessEnvironment>;

std::vector<Checked> start(const ProcessOptions& options, std::size_t count) {
  std::vector<Checked> checked;
  for (auto& each : ProcessEnvironment::start(options, count)) checked.emplace_back(std::move(each));
  return checked;
}

TrajectoryOf<Checked> episode_of(Checked& env, std::uint64_t seed, int most_steps) {
  return testing::random_episode(env, seed, RandomKey(seed), most_steps);
}

/// What only shows in processes: several environments in one, and one after another.
void check_processes(const ProcessOptions& options, int most_steps, Report& report) {
  constexpr std::size_t count = 3;
  auto alone = start(options, 1);
  std::vector<TrajectoryOf<Checked>> expected;
  for (std::uint64_t seed = 0; seed < count; ++seed) expected.push_back(episode_of(alone[0], seed, most_steps));

  auto again = start(options, 1);
  bool same = true;
  for (std::uint64_t seed = 0; seed < count; ++seed)
    same = same && episode_of(again[0], seed, most_steps) == expected[seed];
  report.expect(same, "Equal seeds give equal episodes in every process, or no run could be resumed.",
                [] { return std::string("the first episodes of two processes differ"); });

  auto together = start(options, count);
  for (std::uint64_t seed = 0; seed < count; ++seed) together[seed].reset(seed);
  std::vector<char> ended(count, false);  // sooner than alone: there is nothing left to step
  for (std::size_t step = 0; step < static_cast<std::size_t>(most_steps); ++step) {
    for (std::size_t number = 0; number < count; ++number) {
      if (step >= expected[number].size() || ended[number]) continue;
      const auto& transition = expected[number][step];
      const auto now = together[number].step(transition.action);
      ended[number] = now.terminated || now.truncated;
      report.expect(now.observation == transition.next_observation && now.reward == transition.reward,
                    "Environments of one process do not change each other.",
                    [&] { return fmt::format("environment {} of {}, step {}", number, count, step); });
    }
  }
}

/// What the Environment's laws mean for a server, where the sentence does not say it.
std::string_view advice(const testing::Violation& violation) {
  if (violation.law.starts_with("Equal seeds"))
    return "The server does not do as the seed of a reset says: whatever is random in an episode must come from it.\n";
  return "";
}

void print_spec(const ProcessEnvironment& env, std::ostream& out) {
  const EnvironmentSpec& spec = env.spec();
  std::vector<std::string_view> fields;
  for (const Field& field : env.fields()) fields.push_back(field.name);
  fmt::print(out, "{}\n", printable_line(spec.name));
  if (!spec.description.empty()) fmt::print(out, "  {}\n", printable_line(spec.description));
  fmt::print(out, "  sees {}\n  does {}\n", fmt::join(fields, ", "),
             printable_line(fmt::format("{}", fmt::join(spec.actions, ", "))));
  fmt::print(out, "  discount {}, {}{}{}\n", env.discount(),
             env.step_limit() == 0 ? "no step limit" : fmt::format("at most {} steps", env.step_limit()),
             spec.legal_actions ? ", legal actions" : "", spec.set_state ? ", states can be set" : "");
}

}  // namespace

void check_env(const CheckEnvArguments& arguments, std::ostream& out) {
  EnvironmentChoice choice = arguments.environment;
  if (!names_kind(choice.name)) choice.name.insert(0, "process: ");
  const ProcessOptions options = process_options(choice);
  testing::EnvironmentCheck check;
  check.episodes = static_cast<int>(parse_count("--episodes", arguments.episodes, 1, 10'000));
  check.draws = 200;
  check.states = 4;
  auto first = start(options, 1);
  print_spec(first[0], out);
  fmt::print(out, "  for instance {}",
             printable(FieldFormatter<ProcessEnvironment>(first[0]).observation(first[0].reset(0))));
  episode_of(first[0], 0, check.max_steps);  // what is wrong with the server itself is told as it is

  std::vector<Report> reports;
  const FieldFormatter<ProcessEnvironment> formatter(first[0], {.hints = true});
  reports.push_back(testing::check_environment(std::move(first[0]), check));
  reports.emplace_back("processes");
  check_processes(options, check.max_steps, reports.back());
  testing::FormatterCheck texts;
  texts.episodes = check.episodes;
  reports.push_back(testing::check_formatter(std::move(start(options, 1)[0]), formatter, texts));
  if (options.window == 1) {
    ProcessEnvironment settable(options);
    if (settable.has_states())
      reports.push_back(testing::check_environment(
          LegalActions<SettableProcessEnvironment>(SettableProcessEnvironment(std::move(settable))), check));
  }
  std::size_t broken = 0;
  for (const Report& report : reports) {
    fmt::print(out, "{}", printable(report.to_string()));
    for (const auto& violation : report.violations()) fmt::print(out, "{}", advice(violation));
    broken += report.violations().size();
  }
  if (broken > 0) throw Error(fmt::format("check-env: {} of the rules are broken", broken));
}

}  // namespace icpi::program
