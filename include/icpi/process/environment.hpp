// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/field_formatter.hpp"
#include "icpi/concepts/field_text.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/transition.hpp"
#include "icpi/process/options.hpp"
#include "icpi/process/spec.hpp"

namespace icpi {

namespace detail {
class EnvironmentServer;
}

/// An environment in another process, which speaks JSON lines (docs/process.md). Observations are values of named
/// fields, actions are names.
///
/// A server that ends, is silent, or says what the protocol does not allow throws EnvironmentUnreachable with its last
/// words, in every later call too, and its processes are killed. What the server reports as its environment's error
/// throws Error, and the next reset() begins anew. The server ends with the last environment that it serves, and at
/// the latest with the process that started it.
/// A step that terminates is not truncated, whatever the server says.
/// Thread-safety: environments of one server by one thread at a time.
class ICPI_API ProcessEnvironment {
 public:
  using Observation = FieldValues;  ///< in the order of fields(); decimals as they are written
  using Action = std::string;       ///< its name

  /// Starts a server with one environment. Throws InvalidArgument for options that make no sense, and
  /// EnvironmentUnreachable.
  explicit ProcessEnvironment(const ProcessOptions& options);
  ProcessEnvironment(ProcessEnvironment&&) noexcept;             ///< leaves an object that may only be destroyed
  ProcessEnvironment& operator=(ProcessEnvironment&&) noexcept;  ///< the same
  ~ProcessEnvironment();

  /// Starts one server with `count` environments, at least one. Throws as the constructor.
  [[nodiscard]] static std::vector<ProcessEnvironment> start(const ProcessOptions& options, std::size_t count);

  /// What the server says of its environments.
  [[nodiscard]] const EnvironmentSpec& spec() const noexcept;
  /// Of an observation: the server's, or those of a window, whose older ones are `row_before_1`, `row_before_2`.
  [[nodiscard]] const std::vector<Field>& fields() const noexcept;
  /// Names, as the server lists them.
  [[nodiscard]] const std::vector<std::string>& actions() const noexcept;
  /// The server's, or that of the options.
  [[nodiscard]] double discount() const noexcept;
  /// Steps after which an episode is truncated; 0: none.
  [[nodiscard]] std::size_t step_limit() const noexcept;

  /// The end of what its server has said on its standard error, on one line of at most 600 bytes.
  [[nodiscard]] std::string last_words() const;

  /// Begins an episode.
  Observation reset(std::uint64_t seed);
  /// Carries out an action. Throws InvalidArgument for one that is none of actions().
  Step<Observation> step(const std::string& action);

  /// The actions that are legal in the state the episode is in: all, where the server does not say.
  [[nodiscard]] const std::vector<std::string>& legal_actions() const noexcept;
  /// Those where this is observed: in the episode's present state what the server said of it, elsewhere it is asked; it
  /// throws Error where it does not know. All, where it never says.
  [[nodiscard]] std::vector<std::string> legal_actions(const Observation& observation) const;

  /// Whether the server says which actions are legal.
  [[nodiscard]] bool has_legal_actions() const noexcept { return spec().legal_actions; }

  /// Whether set_state() can be called.
  [[nodiscard]] bool has_states() const noexcept { return spec().set_state; }

  /// Begins episodes of several environments, with one round trip for each of their servers. What the server answered
  /// is what reset() with the same seed, called next for each of them, returns or throws.
  static void begin_resets(std::span<ProcessEnvironment* const> environments, std::span<const std::uint64_t> seeds);
  /// The same for step().
  static void begin_steps(std::span<ProcessEnvironment* const> environments,
                          std::span<const std::string* const> actions);

 protected:
  /// See SettableProcessEnvironment.
  void continue_from(const Observation& observation, std::uint64_t seed);

 private:
  struct Slot;

  ProcessEnvironment(std::shared_ptr<detail::EnvironmentServer> server, std::size_t number);
  Observation seen(const FieldValues& values);

  std::unique_ptr<Slot> slot_;
};

/// A ProcessEnvironment whose server can set states.
class ICPI_API SettableProcessEnvironment : public ProcessEnvironment {
 public:
  /// Throws InvalidArgument for the environment of a server that cannot, and for one with a window.
  explicit SettableProcessEnvironment(ProcessEnvironment environment);

  /// See StateSettable.
  void set_state(const Observation& observation, std::uint64_t seed) { continue_from(observation, seed); }
};

static_assert(HasLegalActions<ProcessEnvironment> && HasFields<ProcessEnvironment>);
static_assert(StateSettable<SettableProcessEnvironment>);
static_assert(ParsesObservations<FieldFormatter<ProcessEnvironment>, ProcessEnvironment>);

/// Its formatter.
template <>
struct DefaultFormatter<ProcessEnvironment> {
  using type = FieldFormatter<ProcessEnvironment>;  ///< the formatter
};

}  // namespace icpi
