// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/query_kind.hpp"

namespace icpi {

/// Writes every part of a prompt. Each text is whole lines: it ends in a newline.
template <class F, class E>
concept WritesPrompts = Environment<E> && requires(const F& formatter, const typename E::Observation& observation,
                                                   const typename E::Action& action, double reward, bool terminated,
                                                   const TransitionOf<E>& transition) {
  { formatter.observation(observation) } -> std::convertible_to<std::string>;  // observation(o): what is seen
  { formatter.action(action) } -> std::convertible_to<std::string>;            // action(a): what is done
  { formatter.reward(reward) } -> std::convertible_to<std::string>;            // reward(r): reads back exactly
  { formatter.termination(terminated) } -> std::convertible_to<std::string>;   // termination(b): did it end
  { formatter.episode_start() } -> std::convertible_to<std::string>;           // episode_start(): begins a trajectory
  { formatter.trajectory_step(transition) } -> std::convertible_to<std::string>;  // trajectory_step(t): a whole step
};

/// Says where each kind of answer ends.
template <class F>
concept StopsCompletions = requires(const F& formatter, QueryKind kind) {
  { formatter.stop(kind) } -> std::convertible_to<std::string_view>;  // stop(kind): the end of an answer of this kind
};

/// Reads answers. The texts come without the stop string.
template <class F, class E>
concept ReadsAnswers = Environment<E> && requires(const F& formatter, std::string_view text) {
  {
    formatter.parse_action(text)                                               // parse_action(text): if it is one
  } -> std::same_as<std::optional<typename E::Action>>;                        // parse_action(text): if it is one
  { formatter.parse_reward(text) } -> std::same_as<std::optional<double>>;     // parse_reward(text): if it is one
  { formatter.parse_termination(text) } -> std::same_as<std::optional<bool>>;  // parse_termination(text): if it is one
  { formatter.accepts_observation(text) } -> std::same_as<bool>;  // accepts_observation(text): is it well-formed
};

/// All text of an environment, and nothing but text.
///
/// Laws: every text is not empty, ends in a newline and holds no blank line (blank lines separate examples), except
/// that episode_start() may begin with one; what answers a query of kind k, `answer`, ends in stop(k), which occurs
/// nowhere else in it, and parsing `answer` without it gives the value back (rewards exactly); different actions have
/// different texts; observations that differ may have equal texts (rounding). Parsing never throws and takes any
/// bytes. Simulated observations stay text: an accepted one is written into later prompts as it is.
/// Agents refuse texts that break the laws about lines and stop strings: see PromptContext.
/// Where an environment gains actions, `grow(env)` is called, if there is such a member; the new ones must then be written,
/// and read back.
/// Thread-safety: const members may be called concurrently.
/// Checked by icpi::testing::check_formatter. Skeleton: docs/concepts/prompt_formatter.md.
template <class F, class E>
concept PromptFormatter = std::copyable<F> && WritesPrompts<F, E> && StopsCompletions<F> && ReadsAnswers<F, E>;

/// A formatter that reads whole observations back, as a perfect simulator needs.
/// Law: parse_observation(observation(o) without the stop string) is o, up to the precision that is written.
template <class F, class E>
concept ParsesObservations = PromptFormatter<F, E> && requires(const F& formatter, std::string_view text) {
  {
    formatter.parse_observation(text)                         // parse_observation(text): if it is one
  } -> std::same_as<std::optional<typename E::Observation>>;  // parse_observation(text): if it is one
};

/// A formatter whose observations tell which actions are legal there.
/// Law: legal_actions(text), where the text comes without the stop string, takes any bytes and never throws; it gives nothing
/// where the text does not tell.
template <class F, class E>
concept TellsLegalActions = PromptFormatter<F, E> && requires(const F& formatter, std::string_view text) {
  {
    formatter.legal_actions(text)                                     // legal_actions(text): what can be done there
  } -> std::same_as<std::optional<std::vector<typename E::Action>>>;  // legal_actions(text): what can be done there
};

/// Specialise with a member `type` to give an environment its formatter: PolicyIteration<Env, LM> then finds it.
template <class E>
struct DefaultFormatter {
  static_assert(sizeof(E) == 0,
                "icpi: this environment has no default formatter: include its formatter's header, name a formatter as "
                "PolicyIteration<Env, LM, Formatter>, or specialise icpi::DefaultFormatter<Env>");
};

template <class E>
using default_formatter_t = typename DefaultFormatter<E>::type;

}  // namespace icpi
