// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "icpi/domains/all.hpp"
#include "support/random_episodes.hpp"

namespace icpi::testing {

/// Texts that were accepted, by the parser that did.
struct Accepted {
  std::uint64_t actions = 0;
  std::uint64_t rewards = 0;
  std::uint64_t terminations = 0;
  std::uint64_t observations = 0;
};

/// A domain's formatters, with and without hints.
template <class Env>
class Parsers {
 public:
  /// Answers that are valid for this domain, without their stop strings.
  void add_valid_answers(std::vector<std::string>& answers) const {
    Env env;
    const auto add = [&](QueryKind kind, std::string text) {
      text.resize(text.size() - formatter_.stop(kind).size());
      answers.push_back(std::move(text));
    };
    for (const auto& action : env.actions()) add(QueryKind::action, std::string(formatter_.action(action)));
    for (const double reward : {0.0, 1.0, -1.0, 0.5, 1.0 / 3}) add(QueryKind::reward, formatter_.reward(reward));
    for (const bool ended : {false, true}) add(QueryKind::termination, formatter_.termination(ended));
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      for (const auto& each : random_episode(env, seed)) {
        add(QueryKind::observation, formatter_.observation(each.observation));
        add(QueryKind::observation, plain_.observation(each.next_observation));
      }
    }
  }

  /// The first law that is broken by how `text` is parsed; empty: none.
  [[nodiscard]] std::string_view broken_law(const std::string& text, Accepted& accepted) const {
    for (const auto* formatter : {&formatter_, &plain_}) {
      if (const auto action = formatter->parse_action(text)) {
        ++accepted.actions;
        if (!is_written(formatter->action(*action), text, QueryKind::action)) return "action";
      }
      if (const auto reward = formatter->parse_reward(text)) {
        ++accepted.rewards;
        if (!std::isfinite(*reward)) return "reward is finite";
        if (!is_written(formatter->reward(*reward), text, QueryKind::reward)) return "reward";
      }
      if (const auto terminated = formatter->parse_termination(text)) {
        ++accepted.terminations;
        if (!is_written(formatter->termination(*terminated), text, QueryKind::termination)) return "termination";
      }
      const auto observation = formatter->parse_observation(text);
      if (observation.has_value() != formatter->accepts_observation(text)) return "accepts what it parses";
      if (observation) {
        ++accepted.observations;
        if (!is_well_formed(plain_.observation(*observation), text, formatter->options().hints)) return "observation";
      }
    }
    return {};
  }

 private:
  [[nodiscard]] bool is_written(std::string_view written, std::string_view text, QueryKind kind) const {
    const std::string_view stop = formatter_.stop(kind);
    return written.ends_with(stop) && written.substr(0, written.size() - stop.size()) == text;
  }

  /// Agrees with what is written of the value up to the hint; the hint is " and " and something on the same line.
  [[nodiscard]] static bool is_well_formed(std::string_view written, std::string_view text, bool hints) {
    written.remove_suffix(1);
    if (!text.starts_with(written)) return false;
    const std::string_view hint = text.substr(written.size());
    if (!hints) return hint.empty();
    return hint.starts_with(" and ") && hint.size() > 5 && hint.find('\n') == std::string_view::npos;
  }

  default_formatter_t<Env> formatter_{Env{}};
  default_formatter_t<Env> plain_{Env{}, {.hints = false}};
};

/// Those of every shipped domain.
using AllParsers = std::tuple<Parsers<Chain>, Parsers<DistractorChain>, Parsers<Maze>, Parsers<MiniCatch>,
                              Parsers<MiniInvaders>, Parsers<PointMass>>;

}  // namespace icpi::testing
