// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <new>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/random.hpp"

namespace icpi {

/// Which actions are legal somewhere: their places among the environment's, ascending. Empty: it is not known, or there is
/// nothing to know, and all count as legal. A view.
using LegalActions = std::span<const std::uint32_t>;

/// How it is known which actions are legal at an imagined observation: the first of these that answers.
enum class LegalSource : std::uint8_t {
  text,         ///< the formatter reads it in the observation's text
  environment,  ///< the text was parsed back, and the environment asked
  seen,         ///< the set given last at a real observation of equal text
  all           ///< nothing is known: every action counts as legal
};

/// At how many imagined observations each source answered.
struct LegalSourceCounts {
  std::uint64_t text = 0;         ///< see LegalSource
  std::uint64_t environment = 0;  ///< see LegalSource
  std::uint64_t seen = 0;         ///< see LegalSource
  std::uint64_t all = 0;          ///< see LegalSource

  /// One more of this source.
  void count(LegalSource source) noexcept {
    switch (source) {
      case LegalSource::text: ++text; break;
      case LegalSource::environment: ++environment; break;
      case LegalSource::seen: ++seen; break;
      case LegalSource::all: ++all; break;
    }
  }

  /// What was added since `before`.
  friend LegalSourceCounts operator-(const LegalSourceCounts& now, const LegalSourceCounts& before) noexcept {
    return {now.text - before.text, now.environment - before.environment, now.seen - before.seen, now.all - before.all};
  }
  friend bool operator==(const LegalSourceCounts&, const LegalSourceCounts&) = default;
};

/// Whether `action` is among them.
[[nodiscard]] ICPI_API bool is_legal(LegalActions legal, std::size_t action) noexcept;

/// One of them, uniformly; of all `actions` where nothing is known.
[[nodiscard]] inline std::uint32_t draw_legal(LegalActions legal, std::size_t actions, RandomStream& stream) {
  if (legal.empty()) return static_cast<std::uint32_t>(stream.index(actions));
  return legal[stream.index(legal.size())];
}

/// Makes the values of all others NaN. `values` are by action.
ICPI_API void mark_illegal(LegalActions legal, std::span<double> values) noexcept;

namespace detail {

/// One more, at the end.
ICPI_API void add_place(std::vector<std::uint32_t>& places, std::size_t place);
/// Puts them in ascending order, each once.
ICPI_API void order_places(std::vector<std::uint32_t>& places);

}  // namespace detail

/// Replaces `places` by those of `actions` among `known`, ascending, each once. Actions that are not known are left out;
/// returns how many those were.
template <class Actions, class Known>
std::size_t places_among(const Actions& actions, const Known& known, std::vector<std::uint32_t>& places) {
  std::size_t unknown = 0;
  places.clear();
  for (auto action = std::begin(actions); action != std::end(actions); ++action) {
    auto place = std::begin(known);
    while (place != std::end(known) && !(*place == *action)) ++place;
    if (place == std::end(known))
      ++unknown;
    else
      detail::add_place(places, static_cast<std::size_t>(place - std::begin(known)));
  }
  detail::order_places(places);
  return unknown;
}

/// Whether it is worth while to ask an environment which actions are legal. One that satisfies HasLegalActions only
/// sometimes has a member `has_legal_actions()`: false where everything is legal everywhere.
template <Environment Env>
[[nodiscard]] bool limits_actions([[maybe_unused]] const Env& env) {
  if constexpr (!HasLegalActions<Env>) {
    return false;
  } else if constexpr (requires {
                         { env.has_legal_actions() } -> std::convertible_to<bool>;
                       }) {
    return env.has_legal_actions();
  } else {
    return true;
  }
}

/// An environment that is asked which actions are legal: a copy where it can be copied, else one that stays where it is.
/// Of an environment without legal actions it is nothing.
/// Thread-safety: one object by one thread at a time.
template <Environment Env>
class LegalAdviser {
 public:
  /// Keeps a copy where it can be made. Else there is nobody to ask before consult().
  explicit LegalAdviser(const Env& env) : limits_(limits_actions(env)) {
    if constexpr (copies) consult(env);
  }

  /// Of an environment that is not known yet.
  explicit LegalAdviser(bool limits) noexcept : limits_(limits) {}

  /// Asks `env` from now on: a copy of it where that can be made, else itself; then it must outlive this object, or the
  /// next call.
  void consult(const Env& env) {
    limits_ = limits_actions(env);
    if constexpr (copies)
      env_.emplace(env);
    else if constexpr (HasLegalActions<Env>)
      env_ = &env;
  }

  /// See limits_actions.
  [[nodiscard]] bool limits() const noexcept { return limits_; }
  /// Whether there is somebody to ask.
  [[nodiscard]] bool knows() const noexcept { return limits_ && static_cast<bool>(env_); }

  /// Calls use(actions) with what is legal at `observation`. Only where knows(); passes on what is thrown.
  template <class Use>
  void ask(const typename Env::Observation& observation, Use&& use) const {
    if constexpr (HasLegalActions<Env>) {
      const Env& env = *env_;
      use(env.legal_actions(observation));
    }
  }

  /// The same for an observation that may be impossible: what the environment throws then counts as no answer. What says
  /// that it cannot be asked any more is passed on.
  template <class Use>
  void try_ask(const typename Env::Observation& observation, Use&& use) const {
    try {
      ask(observation, use);
    } catch (const EnvironmentUnreachable&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {  // the law allows it
    }
  }

 private:
  static constexpr bool copies = HasLegalActions<Env> && std::copy_constructible<Env>;

  bool limits_;
  std::conditional_t<copies, std::optional<Env>, const Env*> env_{};
};

/// The advisers of the environments of one agent, by number. There are none without legal actions.
/// Thread-safety: one object by one thread at a time.
template <Environment Env>
class LegalAdvisers {
 public:
  /// Environment 0 is known.
  explicit LegalAdvisers(const Env& /*env*/) noexcept {}
  /// See LegalAdviser.
  void consult(std::uint64_t /*number*/, const Env& /*env*/) noexcept {}
  /// See LegalAdviser.
  [[nodiscard]] bool limits(std::uint64_t /*number*/) const noexcept { return false; }
};

/// Those of environments with legal actions.
template <Environment Env>
  requires HasLegalActions<Env>
class LegalAdvisers<Env> {
 public:
  /// Environment 0 is known.
  explicit LegalAdvisers(const Env& env) { advisers_.push_back(LegalAdviser<Env>(env)); }
  /// See LegalAdviser.
  void consult(std::uint64_t number, const Env& env) {
    while (advisers_.size() <= number) advisers_.push_back(LegalAdviser<Env>(advisers_.front().limits()));
    advisers_[number].consult(env);
  }
  /// See LegalAdviser; false for those that were not heard of.
  [[nodiscard]] bool limits(std::uint64_t number) const noexcept {
    return number < advisers_.size() && advisers_[number].limits();
  }
  /// That of an environment that may be asked; null: there is nobody to ask.
  [[nodiscard]] const LegalAdviser<Env>* find(std::uint64_t number) const noexcept {
    return number < advisers_.size() && advisers_[number].knows() ? &advisers_[number] : nullptr;
  }

 private:
  std::vector<LegalAdviser<Env>> advisers_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/concepts/legal_actions-inl.hpp"
#endif
