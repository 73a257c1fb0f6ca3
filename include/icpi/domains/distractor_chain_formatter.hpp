// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/text_scanner.hpp"
#include "icpi/core/fill_text.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/distractor_chain.hpp"
#include "icpi/domains/domain_formatter.hpp"

namespace icpi {

/// `assert state == (6, 3) and state != (4, 3)`; the hint compares with the goal and repeats the distractor.
/// Thread-safety: const members may be called concurrently.
class DistractorChainFormatter : public DomainFormatter<DistractorChainFormatter, DistractorChain> {
 public:
  static constexpr auto action_texts = ChainFormatter::action_texts;  ///< in the order of the actions
  static constexpr auto start_text = ChainFormatter::start_text;      ///< of every trajectory

  /// Writes the texts of `env`: its goal is part of the hint.
  explicit DistractorChainFormatter(const DistractorChain& env = DistractorChain{}, FormatterOptions options = {})
      : DomainFormatter(env, options), goal_(env.options().chain.goal) {}

  /// What is seen.
  [[nodiscard]] std::string observation(const DistractorChainObservation& seen) const {
    if (!hints()) return detail::fill_text("assert state == ({}, {})\n", {seen.state, seen.distractor});
    return detail::fill_text("assert state == ({}, {}) and state {} ({}, {})\n",
                             {seen.state, seen.distractor, seen.state == goal_ ? "==" : "!=", goal_, seen.distractor});
  }

  /// State and distractor; the hint is skipped.
  [[nodiscard]] std::optional<DistractorChainObservation> parse_observation(std::string_view text) const {
    DistractorChainObservation seen;
    TextScanner scanner(text);
    scanner.literal("assert state == (").integer(seen.state).literal(", ").integer(seen.distractor).literal(")");
    return ends_observation(scanner) ? std::optional(seen) : std::nullopt;
  }

 private:
  int goal_;
};

/// A distractor chain's formatter.
template <>
struct DefaultFormatter<DistractorChain> {
  using type = DistractorChainFormatter;  ///< the formatter
};

static_assert(ParsesObservations<DistractorChainFormatter, DistractorChain>);

}  // namespace icpi
