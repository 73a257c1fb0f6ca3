// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/policy/agent.hpp"

// case 1: legal_actions(observation): what can be done there
// case 2: legal_actions(observation): what can be done there
// case 3: legal_actions: values of E::Action
struct Corridor {
  using Observation = int;
  using Action = std::string;
  static std::array<std::string, 2> actions() { return {"left", "right"}; }
  static int reset(std::uint64_t /*seed*/) { return 0; }
  static icpi::Step<int> step(const std::string& /*action*/) { return {}; }
  static double discount() { return 0.9; }
#if ICPI_BROKEN == 2
  static bool legal_actions(int /*observation*/) { return true; }  // no range
#elif ICPI_BROKEN == 3
  static std::vector<int> legal_actions(int /*observation*/) { return {0}; }  // places, not actions
#elif ICPI_BROKEN != 1
  static std::vector<std::string> legal_actions(int /*observation*/) { return {"left"}; }
#endif
};

static_assert(icpi::HasLegalActions<Corridor>);

// case 4: legal_actions(text): what can be done there
// case 5: legal_actions(text): what can be done there
struct Text {
  static std::string observation(int /*place*/) { return "place\n"; }
  static std::string action(const std::string& action) { return action + "\n"; }
  static std::string reward(double /*value*/) { return "0\n"; }
  static std::string termination(bool /*terminated*/) { return "on\n"; }
  static std::string episode_start() { return "\nreset\n"; }
  static std::string trajectory_step(const icpi::TransitionOf<Corridor>& /*transition*/) { return "step\n"; }
  static std::string_view stop(icpi::QueryKind /*kind*/) { return "\n"; }
  static std::optional<std::string> parse_action(std::string_view /*text*/) { return std::nullopt; }
  static std::optional<double> parse_reward(std::string_view /*text*/) { return std::nullopt; }
  static std::optional<bool> parse_termination(std::string_view /*text*/) { return std::nullopt; }
  static bool accepts_observation(std::string_view /*text*/) { return true; }
#if ICPI_BROKEN == 5
  static std::vector<std::string> legal_actions(std::string_view /*text*/) {
    return {};
  }  // cannot say that it is unknown
#elif ICPI_BROKEN != 4
  static std::optional<std::vector<std::string>> legal_actions(std::string_view /*text*/) { return std::nullopt; }
#endif
};

static_assert(icpi::TellsLegalActions<Text, Corridor>);

// case 6: act(o, legal): one of these
struct Host {
  static void begin_episode(int /*observation*/) {}
  static std::string act(int /*observation*/) { return "left"; }
#if ICPI_BROKEN != 6
  template <icpi::RandomAccessRange Legal>
  static std::string act(int /*observation*/, const Legal& legal) {
    return legal.begin()[0];
  }
#endif
  static void observe(const icpi::Step<int>& /*step*/) {}
  static icpi::Costs costs() { return {}; }
};

static_assert(icpi::TakesLegalActions<Host, Corridor>);
