// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "icpi/concepts/environment.hpp"
#include "icpi/prompt/prompt_context.hpp"
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
        buffer(Holder::source.buffer()) {}

  /// See PromptContext::observe_text.
  [[nodiscard]] ObservationId observe(const typename Env::Observation& observation) {
    return observe_text(Holder::source.write_observation(observation));
  }

  /// Throws what append() and extend() would throw because of this transition's texts.
  void check(const TransitionOf<Env>& transition) const { check_text(Holder::source.write_step(transition)); }

  /// Adds a finished episode. All or nothing, as PromptContext::remember.
  void append(const TrajectoryOf<Env>& trajectory) {
    Holder::source.announce(trajectory.data(), trajectory.size(), false);
    remember(trajectory.size());
  }

  /// Adds a step of the running episode: its prompts change at once. All or nothing, as append().
  void extend(const TransitionOf<Env>& transition) {
    Holder::source.announce(&transition, 1, true);
    remember(1);
  }

  /// The running episode is over.
  void close() {
    buffer.close();
    update();
  }

  /// What writes and reads.
  [[nodiscard]] const Formatter& formatter() const noexcept { return Holder::source.formatter(); }

  Buffer& buffer;  ///< all experience
};

}  // namespace icpi
