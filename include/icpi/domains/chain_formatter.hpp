// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/text_scanner.hpp"
#include "icpi/core/fill_text.hpp"
#include "icpi/domains/chain.hpp"
#include "icpi/domains/domain_formatter.hpp"

namespace icpi {

/// `assert state == 6 and state != 4`; the hint compares the state with the goal.
/// Thread-safety: const members may be called concurrently.
class ChainFormatter : public DomainFormatter<ChainFormatter, Chain> {
 public:
  /// In the order of the actions.
  static constexpr std::array<std::string_view, 3> action_texts{"state = left()\n", "reward = try_goal(state)\n",
                                                                "state = right()\n"};
  static constexpr std::string_view start_text = "\nstate, reward = reset()\n";  ///< of every trajectory

  /// Writes the texts of `env`: its goal is part of the hint.
  explicit ChainFormatter(const Chain& env = Chain{}, FormatterOptions options = {})
      : DomainFormatter(env, options), goal_(env.options().goal) {}

  /// What is seen.
  [[nodiscard]] std::string observation(int state) const {
    if (!hints()) return detail::fill_text("assert state == {}\n", {state});
    return detail::fill_text("assert state == {} and state {} {}\n", {state, state == goal_ ? "==" : "!=", goal_});
  }

  /// The state; the hint is skipped.
  [[nodiscard]] std::optional<int> parse_observation(std::string_view text) const {
    int state = 0;
    TextScanner scanner(text);
    scanner.literal("assert state == ").integer(state);
    return ends_observation(scanner) ? std::optional(state) : std::nullopt;
  }

 private:
  int goal_;
};

/// A chain's formatter.
template <>
struct DefaultFormatter<Chain> {
  using type = ChainFormatter;  ///< the formatter
};

static_assert(ParsesObservations<ChainFormatter, Chain>);

}  // namespace icpi
