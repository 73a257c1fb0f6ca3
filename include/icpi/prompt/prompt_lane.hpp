// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/prompt/memory_event.hpp"
#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/saved_steps.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"

namespace icpi {

namespace detail {

/// A base, so that it is there before the bases that follow.
template <class Source>
struct SourceHolder {
  Source source;
};

}  // namespace detail

/// A PromptContext that takes observations and transitions of an environment: an AgentMemory.
/// Thread-safety: one object by one thread at a time.
template <Environment Env, PromptFormatter<Env> Formatter, ReplayBuffer<Env> Buffer>
class PromptLane : private detail::SourceHolder<TypedPromptSource<Env, Formatter, Buffer>>, public PromptContext {
  using Source = TypedPromptSource<Env, Formatter, Buffer>;
  using Holder = detail::SourceHolder<Source>;

 public:
  /// `random_key` drives the choice of examples. Throws as PromptContext.
  PromptLane(const Env& env, Buffer experience, Formatter formatter, const PromptOptions& options,
             TokenCounter count_tokens, RandomKey random_key)
      : Holder{Source(env, std::move(experience), std::move(formatter))},
        PromptContext(Holder::source, options, std::move(count_tokens), random_key),
        buffer(Holder::source.buffer()),
        given_(buffer.size()) {}

  /// See PromptContext::observe_text.
  [[nodiscard]] ObservationId observe(const typename Env::Observation& observation) {
    return observe_text(Holder::source.write_observation(observation));
  }

  /// See PromptContext::note_legal_text.
  void note_legal(const typename Env::Observation& observation, LegalActions legal) {
    note_legal_text(Holder::source.write_observation(observation), legal);
  }
  /// Takes in what the environment has gained of actions. All or nothing. Throws InvalidArgument when buffer or formatter
  /// cannot.
  void grow(const Env& env) {
    Holder::source.grow(env, [this] { grow_actions(); });
  }
  /// See LegalAdviser.
  void consult(const Env& env) { Holder::source.consult(env); }

  /// Throws what append() and extend() would throw because of this transition's texts.
  void check(const TransitionOf<Env>& transition) const { check_text(Holder::source.write_step(transition)); }

  /// Adds a finished episode. All or nothing, as PromptContext::remember.
  void append(const TrajectoryOf<Env>& trajectory) {
    Holder::source.announce(trajectory.data(), trajectory.size(), false);
    remember(trajectory.size());
    events_.push_back({MemoryEvent::Kind::trajectory, trajectory.size()});
  }

  /// Adds a step of the running episode: its prompts change at once. All or nothing, as append().
  void extend(const TransitionOf<Env>& transition) {
    Holder::source.announce(&transition, 1, true);
    remember(1);
    note(MemoryEvent::Kind::steps);
  }

  /// The running episode is over.
  void close() {
    buffer.close();
    update();
    note(MemoryEvent::Kind::close);
  }

  /// Transitions that were there when this was made.
  [[nodiscard]] std::size_t given() const noexcept { return given_; }
  /// How what came since was remembered.
  [[nodiscard]] const std::vector<MemoryEvent>& events() const noexcept { return events_; }

  /// Everything that was remembered since, as text. Throws InvalidArgument when an observation does not read back, or the
  /// buffer does not hold what it was given.
  template <class Codec>
  [[nodiscard]] std::vector<SavedStep> save(const Codec& codec) const {
    std::vector<SavedStep> steps;
    for (std::size_t i = given_; i < buffer.size(); ++i) {
      const auto id = static_cast<TransitionId>(i);
      const TransitionOf<Env>& each = buffer[id];
      steps.push_back({detail::write_back(codec, each.observation), buffer.action_index(id), each.reward,
                       each.terminated, each.truncated, detail::write_back(codec, each.next_observation)});
    }
    detail::check_events(events_, steps.size());
    return steps;
  }

  /// Remembers what save() gave, in the same pieces. Throws InvalidArgument, before anything changes, when something cannot be
  /// read.
  template <class Codec>
  void load(const Env& env, const std::vector<MemoryEvent>& events, const std::vector<SavedStep>& steps,
            const Codec& codec) {
    detail::check_events(events, steps.size());
    TrajectoryOf<Env> transitions;
    for (const SavedStep& each : steps) transitions.push_back(detail::read_step(env, codec, each));
    auto next = transitions.begin();
    for (const MemoryEvent& event : events) {
      if (event.kind == MemoryEvent::Kind::trajectory) {
        append(TrajectoryOf<Env>(next, next + static_cast<std::ptrdiff_t>(event.count)));
        next += static_cast<std::ptrdiff_t>(event.count);
      } else if (event.kind == MemoryEvent::Kind::steps) {
        for (std::uint64_t i = 0; i < event.count; ++i) extend(*next++);
      } else {
        for (std::uint64_t i = 0; i < event.count; ++i) close();
      }
    }
  }

  /// What writes and reads.
  [[nodiscard]] const Formatter& formatter() const noexcept { return Holder::source.formatter(); }

  Buffer& buffer;  ///< all experience

 private:
  void note(MemoryEvent::Kind kind) {
    if (events_.empty() || events_.back().kind != kind) events_.push_back({kind, 0});
    ++events_.back().count;
  }

  std::size_t given_;
  std::vector<MemoryEvent> events_;
};

}  // namespace icpi
