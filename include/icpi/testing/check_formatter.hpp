// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/core/random.hpp"
#include "icpi/testing/episodes.hpp"
#include "icpi/testing/report.hpp"

namespace icpi::testing {

/// How thoroughly a formatter is checked.
struct FormatterCheck {
  int episodes = 20;    ///< random episodes whose transitions are written
  int max_steps = 100;  ///< longer episodes are cut
  int garbage = 2000;   ///< damaged and random texts that are parsed
  /// Rewards to write besides those that occur.
  std::vector<double> rewards{0, 1, -1, 0.1, -2.5, 1.0 / 3, 1e-9, 123456.75};
  /// Demands that observations are written so precisely that they read back equal. Else they may be rounded, and what
  /// differs may have equal texts: reading, writing and reading again must change nothing, and texts that differ must
  /// not all read as one observation.
  bool exact_observations = false;
};

namespace detail {

/// A text in quotes, with escapes, for a one-line message.
inline std::string shown(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\n')
      result += "\\n";
    else if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result + "'";
}

inline void check_lines(std::string_view text, std::string_view what, bool may_begin_blank, Report& report) {
  const auto describe = [what, text] { return fmt::format("{} is {}", what, shown(text)); };
  if (may_begin_blank && text.substr(0, 1) == "\n") text.remove_prefix(1);
  report.expect(!text.empty() && text.back() == '\n', "Every text is not empty and ends in a newline.", describe);
  report.expect(text.substr(0, 1) != "\n" && text.find("\n\n") == std::string_view::npos, "No text holds a blank line.",
                describe);
}

/// The answer as a model gives it: without the stop string.
inline std::optional<std::string> completion(std::string_view text, std::string_view stop, std::string_view what,
                                             Report& report) {
  if (!report.expect(stops_once(text, stop), "An answer ends in its stop string, which occurs nowhere else in it.",
                     [&] { return fmt::format("{} is {}, the stop string {}", what, shown(text), shown(stop)); }))
    return std::nullopt;
  return std::string(text.substr(0, text.size() - stop.size()));
}

/// Runs the checks of one formatter; collects the texts it saw as raw material for damaged ones.
template <class Env, class Formatter>
class FormatterChecker {
 public:
  FormatterChecker(const Formatter& formatter, const FormatterCheck& check, Report& report)
      : formatter_(formatter), check_(check), report_(report) {}

  void check_actions(const Env& env) {
    for (const auto& action : env.actions()) {
      const std::string text = formatter_.action(action);
      check_lines(text, "an action", false, report_);
      for (const auto& other : actions_)
        report_.expect(text != other, "Different actions have different texts.", [&] { return shown(text); });
      actions_.push_back(text);
      if (const auto answer = answer_of(QueryKind::action, text, "an action")) {
        const auto read = formatter_.parse_action(*answer);
        report_.expect(read && *read == action, "An action's text reads back as that action.",
                       [&] { return shown(*answer); });
      }
    }
  }

  void check_reward(double reward) {
    const std::string text = formatter_.reward(reward);
    check_lines(text, "a reward", false, report_);
    if (const auto answer = answer_of(QueryKind::reward, text, "a reward"))
      report_.expect(formatter_.parse_reward(*answer) == reward, "A reward's text reads back as exactly that reward.",
                     [&] { return fmt::format("{} written as {}", reward, shown(*answer)); });
  }

  void check_terminations() {
    for (const bool terminated : {false, true}) {
      const std::string text = formatter_.termination(terminated);
      check_lines(text, "a termination", false, report_);
      if (const auto answer = answer_of(QueryKind::termination, text, "a termination"))
        report_.expect(formatter_.parse_termination(*answer) == terminated,
                       "A termination's text reads back as it was.", [&] { return shown(*answer); });
    }
  }

  void check_observation(const typename Env::Observation& seen) {
    const std::string text = formatter_.observation(seen);
    check_lines(text, "an observation", false, report_);
    report_.expect(text == std::string(formatter_.observation(seen)), "Equal values have equal texts.",
                   [&] { return shown(text); });
    const auto answer = answer_of(QueryKind::observation, text, "an observation");
    if (!answer) return;
    report_.expect(formatter_.accepts_observation(*answer), "The text of an observation is accepted as one.",
                   [&] { return shown(*answer); });
    if constexpr (ParsesObservations<Formatter, Env>) check_reading(seen, *answer);
  }

  /// After the observations: whether any of them was told from another.
  void check_readings() {
    report_.expect(readings_differ_ || !texts_differ_, reading_law,
                   [&] { return "every observation reads as " + shown(first_read_->first) + " does"; });
  }

  void check_transition(const TransitionOf<Env>& transition) {
    check_lines(std::string(formatter_.trajectory_step(transition)), "a step of a trajectory", false, report_);
  }

  void check_garbage() {
    RandomStream stream(RandomKey{0x6a7ba6e});
    for (int i = 0; i < check_.garbage; ++i) {
      std::string text = texts_.empty() ? std::string() : texts_[stream.index(texts_.size())];
      for (std::size_t edits = stream.index(4); edits > 0; --edits) {
        if (stream.index(2) == 0 && !text.empty()) text.erase(stream.index(text.size()), 1 + stream.index(8));
        text.insert(stream.index(text.size() + 1), 1, static_cast<char>(stream.index(256)));
      }
      report_.expect_no_throw([&] { parse_all(text); }, "Parsing never throws and takes any bytes.",
                              [&] { return shown(text); });
    }
  }

 private:
  static constexpr std::string_view reading_law = "parse_observation gives back what was written.";

  std::optional<std::string> answer_of(QueryKind kind, const std::string& text, std::string_view what) {
    auto answer = completion(text, formatter_.stop(kind), what, report_);
    if (answer && texts_.size() < 200) texts_.push_back(*answer);
    return answer;
  }

  void check_reading(const typename Env::Observation& seen, const std::string& text) {
    const auto read = formatter_.parse_observation(text);
    const auto describe = [&] { return shown(text); };
    if (!report_.expect(read.has_value(), reading_law, describe)) return;
    if (check_.exact_observations) {
      report_.expect(*read == seen, reading_law, describe);
      return;
    }
    if (!first_read_) first_read_.emplace(text, *read);
    texts_differ_ = texts_differ_ || text != first_read_->first;
    readings_differ_ = readings_differ_ || !(*read == first_read_->second);
    const std::string written = formatter_.observation(*read);
    const auto answer = completion(written, formatter_.stop(QueryKind::observation), "an observation", report_);
    report_.expect(answer && formatter_.parse_observation(*answer) == read, reading_law, describe);
  }

  void parse_all(std::string_view text) const {
    (void)formatter_.parse_action(text);
    (void)formatter_.parse_reward(text);
    (void)formatter_.parse_termination(text);
    (void)formatter_.accepts_observation(text);
    if constexpr (ParsesObservations<Formatter, Env>) (void)formatter_.parse_observation(text);
  }

  const Formatter& formatter_;
  const FormatterCheck& check_;
  Report& report_;
  std::vector<std::string> actions_;
  std::vector<std::string> texts_;
  std::optional<std::pair<std::string, typename Env::Observation>> first_read_;  ///< a text and what it reads as
  bool texts_differ_ = false;
  bool readings_differ_ = false;
};

}  // namespace detail

/// Tries the laws of PromptFormatter, and of ParsesObservations where `formatter` models it, on the transitions of
/// random episodes of `env`. Deterministic.
template <Environment Env, PromptFormatter<Env> Formatter>
Report check_formatter(Env env, const Formatter& formatter, const FormatterCheck& check = {}) {
  Report report("formatter");
  detail::FormatterChecker<Env, Formatter> checker(formatter, check, report);
  const auto body = [&] {
    detail::check_lines(std::string(formatter.episode_start()), "the start of an episode", true, report);
    checker.check_actions(env);
    checker.check_terminations();
    for (const double reward : check.rewards) checker.check_reward(reward);
    for (int i = 0; i < check.episodes; ++i) {
      const auto seed = static_cast<std::uint64_t>(i);
      for (const auto& transition : random_episode(env, seed, RandomKey(seed), check.max_steps)) {
        checker.check_observation(transition.observation);
        checker.check_observation(transition.next_observation);
        checker.check_reward(transition.reward);
        checker.check_transition(transition);
      }
    }
    checker.check_readings();
  };
  report.expect_no_throw(body, "Everything that occurs in episodes can be written and read.",
                         [] { return std::string("an exception"); });
  checker.check_garbage();
  return report;
}

}  // namespace icpi::testing
