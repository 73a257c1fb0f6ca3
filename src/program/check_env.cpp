// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
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

/// Takes a legal action in the place of one that is not: the same one in the same state. What a call throws is told with
/// the call, and with what the server said last.
template <class Base>
class Checked : public Base {
 public:
  explicit Checked(Base env) : Base(std::move(env)) {}

  auto reset(std::uint64_t seed) {
    seed_ = seed;
    steps_ = 0;
    return told([] { return std::string("reset"); }, [&] { return Base::reset(seed); });
  }

  auto step(const std::string& action) {
    const std::string taken = legal(action);
    const std::size_t number = steps_++;
    return told([&] { return fmt::format("step {} ('{}')", number, taken); }, [&] { return Base::step(taken); });
  }

  void set_state(const FieldValues& observation, std::uint64_t seed)
    requires StateSettable<Base>
  {
    steps_ = 0;
    told([] { return std::string("set_state"); }, [&] { return Base::set_state(observation, seed), 0; });
  }

 private:
  const std::string& legal(const std::string& action) const {
    const auto& legal = Base::legal_actions();
    if (legal.empty() || std::find(legal.begin(), legal.end(), action) != legal.end()) return action;
    const auto& all = Base::actions();
    const auto number = static_cast<std::size_t>(std::find(all.begin(), all.end(), action) - all.begin());
    return legal[number % legal.size()];
  }

  template <class Where, class Call>
  auto told(Where&& where, Call&& call) {
    try {
      return call();
    } catch (const EnvironmentUnreachable& error) {  // its message has the last words
      throw EnvironmentUnreachable(fmt::format("seed {}, {}: {}", seed_, where(), error.what()));
    } catch (const InvalidArgument& error) {  // of ours
      throw InvalidArgument(fmt::format("seed {}, {}: {}", seed_, where(), error.what()));
    } catch (const Error& error) {
      const std::string words = Base::last_words();
      throw Error(fmt::format("seed {}, {}: {}{}{}", seed_, where(), error.what(),
                              words.empty() ? "" : "; the server said last: ", words));
    }
  }

  std::uint64_t seed_ = 0;  ///< of the last reset
  std::size_t steps_ = 0;   ///< since
};

using CheckedProcess = Checked<ProcessEnvironment>;
using CheckedStates = Checked<SettableProcessEnvironment>;

std::vector<CheckedProcess> start(const ProcessOptions& options, std::size_t count) {
  std::vector<CheckedProcess> checked;
  for (auto& each : ProcessEnvironment::start(options, count)) checked.emplace_back(std::move(each));
  return checked;
}

TrajectoryOf<CheckedProcess> episode_of(CheckedProcess& env, std::uint64_t seed, int most_steps) {
  return testing::random_episode(env, seed, RandomKey(seed), most_steps);
}

/// What came of the episodes that all other checks play, too.
struct Tried {
  int good = 0;                      ///< so many before the first that failed
  std::optional<FieldValues> start;  ///< the first observation of the first, if it is good
};

/// Plays them, until the server cannot be asked any more.
Tried check_episodes(CheckedProcess& env, const testing::EnvironmentCheck& check, Report& report) {
  std::vector<std::string> failures;
  Tried tried;
  bool reachable = true;
  for (int seed = 0; seed < check.episodes && reachable; ++seed) {
    try {
      const auto episode = episode_of(env, static_cast<std::uint64_t>(seed), check.max_steps);
      if (seed == 0) tried.start = episode.front().observation;
      if (failures.empty()) ++tried.good;
    } catch (const EnvironmentUnreachable& error) {
      failures.emplace_back(error.what());
      reachable = false;
    } catch (const Error& error) {
      failures.emplace_back(error.what());
    }
  }
  report.expect(failures.empty(), "Episodes can be begun and stepped to their end.", [&] {
    const std::string more =
        failures.size() == 1 ? "" : fmt::format(" (and {} more of {} episodes)", failures.size() - 1, check.episodes);
    return failures.front() + more;
  });
  return tried;
}

/// What only shows in processes: several environments in one, and one after another. `count`: so many of them.
void check_processes(const ProcessOptions& options, std::size_t count, int most_steps, Report& report) {
  auto alone = start(options, 1);
  std::vector<TrajectoryOf<CheckedProcess>> expected;
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

/// What check(report) reports. Whatever it throws is a broken rule, too.
template <class Check>
Report guarded(std::string subject, Check&& check) {
  Report report(subject);
  std::string failure;
  try {
    check(report);
  } catch (const Error& error) {
    failure = error.what();
  }
  report.expect(failure.empty(), "A server can be started and asked again.", [&] { return failure; });
  return report;
}

/// The rules whose checks play these episodes, each with a server of its own. `together`: environments in one process.
std::vector<Report> check_rules(const ProcessOptions& options, const testing::EnvironmentCheck& check,
                                std::size_t together, bool has_states) {
  std::vector<Report> reports;
  reports.push_back(guarded("environment", [&](Report& report) {
    report = testing::check_environment(std::move(start(options, 1)[0]), check);
  }));
  reports.push_back(
      guarded("processes", [&](Report& report) { check_processes(options, together, check.max_steps, report); }));
  reports.push_back(guarded("formatter", [&](Report& report) {
    auto env = std::move(start(options, 1)[0]);
    const FieldFormatter<ProcessEnvironment> formatter(env, {.hints = true});
    report = testing::check_formatter(std::move(env), formatter, {.episodes = check.episodes});
  }));
  if (!has_states || options.window > 1) return reports;
  reports.push_back(guarded("states", [&](Report& report) {
    report = testing::check_environment(CheckedStates(SettableProcessEnvironment(ProcessEnvironment(options))), check);
  }));
  return reports;
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
  std::vector<Report> reports(1, Report("episodes"));
  CheckedProcess first = std::move(start(options, 1)[0]);
  print_spec(first, out);
  const Tried tried = check_episodes(first, check, reports[0]);
  if (tried.start)
    fmt::print(out, "  for instance {}",
               printable(FieldFormatter<ProcessEnvironment>(first).observation(*tried.start)));
  const int wanted = check.episodes;
  const bool whole = tried.good == wanted;
  if (!whole) check.episodes = std::max(tried.good - 1, 0);  // the checks begin one more
  const auto together = static_cast<std::size_t>(whole ? 3 : std::min(tried.good, 3));
  if (check.episodes > 0)
    for (Report& each : check_rules(options, check, together, first.has_states())) reports.push_back(std::move(each));
  std::size_t broken = 0;
  for (const Report& report : reports) {
    fmt::print(out, "{}", printable(report.to_string()));
    for (const auto& violation : report.violations()) fmt::print(out, "{}", advice(violation));
    broken += report.violations().size();
  }
  if (!whole && check.episodes > 0)
    fmt::print(out, "The other rules were tried with the first {} of {} episodes only.\n", check.episodes, wanted);
  else if (!whole)
    fmt::print(out, "No other rule was tried.\n");
  if (broken > 0) throw Error(fmt::format("check-env: {} of the rules are broken", broken));
}

}  // namespace icpi::program
