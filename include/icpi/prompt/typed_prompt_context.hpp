// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/prompt/memory_event.hpp"
#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/saved_steps.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"

namespace icpi {

namespace detail {

/// What the prompt contexts of one agent share, and a base, so that it is there before the bases that follow.
template <class Source>
struct SourceHolder {
  struct Shared {
    Source source;
    std::size_t given;
    std::vector<MemoryEvent> events{};
  };
  std::shared_ptr<Shared> shared;
};

}  // namespace detail

/// A PromptContext that takes observations and transitions of an environment: an AgentMemory. Env, Formatter and Buffer as
/// PolicyIteration demands them, which checks it.
/// Thread-safety: one object by one thread at a time; those that share experience count as one.
template <class Env, class Formatter, class Buffer>
class TypedPromptContext : private detail::SourceHolder<TypedPromptSource<Env, Formatter, Buffer>>,
                           public PromptContext {
  using Source = TypedPromptSource<Env, Formatter, Buffer>;
  using Holder = detail::SourceHolder<Source>;

 public:
  using BufferType = Buffer;  ///< what remembers

  /// `random_key` drives the choice of examples. Throws as PromptContext.
  TypedPromptContext(const Env& env, Buffer&& experience, Formatter&& formatter, const PromptOptions& options,
                     TokenCounter count_tokens, RandomKey random_key)
      : Holder{std::shared_ptr<typename Holder::Shared>(
            new typename Holder::Shared{Source(env, std::move(experience), std::move(formatter)), 0})},
        PromptContext(source(), options, std::move(count_tokens), random_key),
        buffer(source().buffer()) {
    Holder::shared->given = buffer.size();
  }

  /// That of environment number `environment`, not 0, of the same agent.
  TypedPromptContext(const TypedPromptContext& with, std::uint64_t environment)
      : Holder(with), PromptContext(with, environment), buffer(source().buffer()) {}

  /// See PromptContext::observe_text.
  [[nodiscard]] ObservationId observe(const typename Env::Observation& observation) {
    return observe_text(source().write_observation(observation));
  }

  /// Throws what observe() would throw.
  void check(const typename Env::Observation& observation) const {
    check_observation_text(source().write_observation(observation));
  }

  /// See PromptContext::note_legal_text.
  void note_legal(const typename Env::Observation& observation, LegalActions legal) {
    note_legal_text(source().write_observation(observation), legal);
  }
  /// See PromptContext::stand_at_text.
  void stand_at(const typename Env::Observation& observation, LegalActions legal) {
    stand_at_text(source().write_observation(observation), legal);
  }
  /// Takes in what the environment has gained of actions. All or nothing. Throws InvalidArgument when buffer or formatter
  /// cannot.
  void grow(const Env& env) {
    source().grow(env, [this] { grow_actions(); });
  }
  /// This environment is asked from now on which actions are legal at what is imagined in it; see LegalAdviser.
  void consult(const Env& env) {
    source().consult(environment(), env);
    forget_legal();
  }

  /// Throws what append() and extend() would throw because of this transition's texts.
  void check(const TransitionOf<Env>& transition) const { check_text(source().write_step(transition)); }

  /// Adds a finished episode. All or nothing, as PromptContext::remember.
  void append(const TrajectoryOf<Env>& trajectory) {
    source().announce(trajectory);
    remember(trajectory.size());
    note(MemoryEvent::Kind::trajectory, trajectory.size());
  }

  /// Adds a step of the running episode: its prompts change at once. All or nothing, as append().
  void extend(const TransitionOf<Env>& transition) {
    if constexpr (SharedReplayBuffer<Buffer, Env>) {
      if (!running_) running_ = buffer.begin();
    }
    source().announce(transition, running_.value_or(0));
    remember(1);
    note(MemoryEvent::Kind::steps, 1);
  }

  /// The running episode is over.
  void close() {
    if constexpr (SharedReplayBuffer<Buffer, Env>) {
      if (running_) buffer.end(*running_);
      running_.reset();
    } else {
      buffer.close();
    }
    update();
    note(MemoryEvent::Kind::close, 1);
  }

  /// Transitions that were there when this was made.
  [[nodiscard]] std::size_t given() const noexcept { return Holder::shared->given; }
  /// How what came since was remembered.
  [[nodiscard]] const std::vector<MemoryEvent>& events() const noexcept { return Holder::shared->events; }

  /// Throws InvalidArgument when something has left the buffer.
  void check_complete() const {
    if (source().departed() > 0) detail::refuse_departed(source().departed());
  }

  /// Everything that was remembered since, as text. check_complete() first. Throws InvalidArgument when an observation does not read back, or the
  /// buffer does not hold what it was given.
  template <class Codec>
  [[nodiscard]] std::vector<SavedStep> save(const Codec& codec) const {
    std::vector<SavedStep> steps;
    for (std::size_t i = given(); i < buffer.size(); ++i) {
      const auto id = static_cast<TransitionId>(i);
      const TransitionOf<Env>& each = buffer[id];
      steps.push_back({detail::write_back(codec, each.observation), buffer.action_index(id), each.reward,
                       each.terminated, each.truncated, detail::write_back(codec, each.next_observation)});
    }
    detail::check_events(events(), steps.size());
    return steps;
  }

  /// Remembers what save() gave, in the same pieces. Throws InvalidArgument, before anything changes, when something cannot be
  /// read, or the buffer would forget some of it; one that cannot be copied has forgotten it by then.
  template <class Codec>
  void load(const Env& env, const std::vector<MemoryEvent>& events, const std::vector<SavedStep>& steps,
            const Codec& codec) {
    detail::check_events(events, steps.size());
    TrajectoryOf<Env> transitions;
    for (const SavedStep& each : steps) transitions.push_back(detail::read_step(env, codec, each));
    const std::size_t departed = source().departed();
    if constexpr (ForgetsTransitions<Buffer> && std::copy_constructible<Buffer>) {
      Buffer trial(buffer);
      tell(
          events, transitions, [&](const TrajectoryOf<Env>& whole) { trial.append(whole); },
          [&](const TransitionOf<Env>& step) { trial.extend(step); }, [&] { trial.close(); });
      if (trial.departed() > departed) detail::refuse_smaller(transitions.size(), trial.departed() - departed);
    }
    tell(
        events, transitions, [&](const TrajectoryOf<Env>& whole) { append(whole); },
        [&](const TransitionOf<Env>& step) { extend(step); }, [&] { close(); });
    if (source().departed() > departed) detail::refuse_smaller(transitions.size(), source().departed() - departed);
  }

  /// What writes and reads.
  [[nodiscard]] const Formatter& formatter() const noexcept { return source().formatter(); }

  Buffer& buffer;  ///< all experience

 private:
  /// Gives out `transitions` in the pieces in which they came once.
  template <class Append, class Extend, class Close>
  static void tell(const std::vector<MemoryEvent>& events, const TrajectoryOf<Env>& transitions, const Append& append,
                   const Extend& extend, const Close& close) {
    auto next = transitions.begin();
    for (const MemoryEvent& event : events) {
      const auto count = static_cast<std::ptrdiff_t>(event.count);
      if (event.kind == MemoryEvent::Kind::trajectory) {
        append(TrajectoryOf<Env>(next, next + count));
        next += count;
      } else if (event.kind == MemoryEvent::Kind::steps) {
        for (std::ptrdiff_t i = 0; i < count; ++i) extend(*next++);
      } else {
        for (std::ptrdiff_t i = 0; i < count; ++i) close();
      }
    }
  }

  void note(MemoryEvent::Kind kind, std::uint64_t count) {
    detail::note_event(Holder::shared->events, kind, count);
    forget_events();
  }
  /// What has left cannot be told again.
  void forget_events() noexcept {
    if (source().departed() > 0) Holder::shared->events.clear();
  }
  [[nodiscard]] Source& source() noexcept { return Holder::shared->source; }
  [[nodiscard]] const Source& source() const noexcept { return Holder::shared->source; }

  std::optional<TrajectoryId> running_;
};

/// The former name.
template <class Env, class Formatter, class Buffer>
using PromptLane [[deprecated("TypedPromptContext")]] = TypedPromptContext<Env, Formatter, Buffer>;

}  // namespace icpi
