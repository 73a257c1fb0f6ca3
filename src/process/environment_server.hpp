// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "child_process.hpp"
#include "icpi/concepts/field_text.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/process/options.hpp"
#include "icpi/process/spec.hpp"
#include "messages.hpp"

namespace icpi::detail {

/// A process that serves environments, numbered 0, 1, ...: the protocol, without a thought for episodes.
/// What it does wrong throws EnvironmentUnreachable, in every later call too.
/// Thread-safety: one object by one thread at a time.
class EnvironmentServer {
 public:
  /// Starts it and asks for its spec. Throws InvalidArgument for options that make no sense.
  EnvironmentServer(const ProcessOptions& options, std::size_t environments);
  EnvironmentServer(const EnvironmentServer&) = delete;
  EnvironmentServer& operator=(const EnvironmentServer&) = delete;
  ~EnvironmentServer();

  [[nodiscard]] const ProcessOptions& options() const noexcept { return options_; }
  [[nodiscard]] const EnvironmentSpec& spec() const noexcept { return spec_; }
  /// The end of what it said on its standard error, on one line.
  [[nodiscard]] std::string last_words();

  /// Begins an episode in each of these environments, in one round trip.
  std::vector<EnvironmentAnswer> reset(std::span<const std::size_t> environments, std::span<const std::uint64_t> seeds);
  /// Carries out an action in each of these environments, in one round trip.
  std::vector<EnvironmentAnswer> step(std::span<const std::size_t> environments,
                                      std::span<const std::string* const> actions);
  /// Puts an environment into a state. Throws Error with what the environment threw. Returns the legal actions there.
  std::vector<std::string> set_state(std::size_t environment, const FieldValues& observation, std::uint64_t seed);
  /// What is legal where this is observed. Throws Error with what the environment threw.
  std::vector<std::string> legal_actions(const FieldValues& observation);

 private:
  template <class Read>
  auto ask(std::string_view request, JsonLine line, Read&& read);
  [[noreturn]] void fail(std::string_view what);
  std::vector<EnvironmentAnswer> with_all_legal(std::vector<EnvironmentAnswer> answers) const;

  ProcessOptions options_;
  std::string title_;  ///< for messages
  std::optional<ChildProcess> child_;
  std::string failure_;  ///< empty: none so far
  EnvironmentSpec spec_;
  std::optional<FieldText> text_;
  std::uint64_t requests_ = 0;
};

}  // namespace icpi::detail
