// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/export.hpp"
#include "icpi/prompt/memory_event.hpp"

namespace icpi {

/// Writes observations as text and reads them back exactly: what saving an agent needs.
template <class C, class Env>
concept ObservationCodec =
    requires(const C& codec, const typename Env::Observation& observation, std::string_view text) {
      { codec.write(observation) } -> std::convertible_to<std::string>;                       // write(observation)
      { codec.read(text) } -> std::convertible_to<std::optional<typename Env::Observation>>;  // read(text): nullopt: no
    };

/// The codec of formatters that have parse_observation. A view; the formatter must outlive it.
template <class Formatter, class Env>
struct FormatterCodec {
  const Formatter* formatter;  ///< what writes and reads

  /// The observation's prompt text.
  [[nodiscard]] std::string write(const typename Env::Observation& observation) const {
    return std::string(formatter->observation(observation));
  }
  /// What the text says, with or without the stop string.
  [[nodiscard]] std::optional<typename Env::Observation> read(std::string_view text) const {
    const std::string_view stop = formatter->stop(QueryKind::observation);
    if (text.ends_with(stop)) text.remove_suffix(stop.size());
    return formatter->parse_observation(text);
  }
};

namespace detail {

/// Throws InvalidArgument quoting a text that does not read back as the observation that it was written from.
[[noreturn]] ICPI_API void refuse_lossy(std::string_view text);
/// Throws InvalidArgument quoting a text that cannot be read.
[[noreturn]] ICPI_API void refuse_unread(std::string_view text);
/// Throws InvalidArgument naming an action that the environment does not have.
[[noreturn]] ICPI_API void refuse_action(std::uint64_t action);
/// Throws InvalidArgument because so many transitions have left the buffer.
[[noreturn]] ICPI_API void refuse_departed(std::size_t departed);
/// Throws InvalidArgument because a buffer would forget `lost` of the `steps` transitions of a saved agent.
[[noreturn]] ICPI_API void refuse_smaller(std::size_t steps, std::size_t lost);
/// Throws InvalidArgument unless the events speak of that many steps.
ICPI_API void check_events(const std::vector<MemoryEvent>& events, std::size_t steps);

/// Writes an observation that reads back as itself; equal by value where values can be compared, else by text.
template <class Codec, class Observation>
[[nodiscard]] std::string write_back(const Codec& codec, const Observation& observation) {
  std::string text = codec.write(observation);
  const std::optional<Observation> back = codec.read(text);
  bool same = back.has_value();
  if constexpr (std::equality_comparable<Observation>)
    same = same && *back == observation;
  else
    same = same && std::string(codec.write(*back)) == text;
  if (!same) refuse_lossy(text);
  return text;
}

/// The transition that a text tells of.
template <Environment Env, class Codec>
[[nodiscard]] TransitionOf<Env> read_step(const Env& env, const Codec& codec, const SavedStep& step) {
  std::optional<typename Env::Observation> from = codec.read(step.observation);
  if (!from) refuse_unread(step.observation);
  std::optional<typename Env::Observation> to = codec.read(step.next_observation);
  if (!to) refuse_unread(step.next_observation);
  const auto& actions = env.actions();
  const auto count = static_cast<std::size_t>(std::end(actions) - std::begin(actions));
  if (step.action >= count) refuse_action(step.action);
  return {std::move(*from), *(std::begin(actions) + static_cast<std::ptrdiff_t>(step.action)),
          step.reward,      step.terminated,
          step.truncated,   std::move(*to)};
}

}  // namespace detail

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/saved_steps-inl.hpp"
#endif
