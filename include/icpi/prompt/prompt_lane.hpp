// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "icpi/concepts/environment.hpp"
#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"

namespace icpi {

/// A PromptContext that takes observations and transitions of an environment: an AgentMemory.
/// Thread-safety: one object by one thread at a time.
template <Environment Env, PromptFormatter<Env> Formatter, ReplayBuffer<Env> Buffer>
class PromptLane : public PromptContext {
 public:
  using Source = TypedPromptSource<Env, Formatter, Buffer>;  ///< what writes, reads and remembers

  /// `random_key` drives the choice of examples. Throws as PromptContext.
  PromptLane(const Env& env, Buffer experience, Formatter formatter, const PromptOptions& options,
             TokenCounter count_tokens, RandomKey random_key)
      : PromptLane(std::make_unique<Source>(env, std::move(experience), std::move(formatter)), options,
                   std::move(count_tokens), random_key) {}

  /// The same with what was put together before.
  PromptLane(std::unique_ptr<Source> source, const PromptOptions& options, TokenCounter count_tokens, RandomKey key)
      : PromptLane(*source, std::move(source), options, std::move(count_tokens), key) {}

  /// See PromptContext::observe_text.
  [[nodiscard]] ObservationId observe(const typename Env::Observation& observation) {
    return observe_text(source_->write_observation(observation));
  }

  /// Throws what append() and extend() would throw because of this transition's texts.
  void check(const TransitionOf<Env>& transition) const { check_text(source_->write_step(transition)); }

  /// Adds a finished episode. All or nothing, as PromptContext::remember.
  void append(const TrajectoryOf<Env>& trajectory) {
    source_->announce(trajectory, false);
    remember(trajectory.size());
  }

  /// Adds a step of the running episode: its prompts change at once. All or nothing, as append().
  void extend(const TransitionOf<Env>& transition) {
    source_->announce(std::span(&transition, 1), true);
    remember(1);
  }

  /// The running episode is over.
  void close() {
    buffer.close();
    update();
  }

  /// What writes and reads.
  [[nodiscard]] const Formatter& formatter() const noexcept { return source_->formatter(); }

 private:
  PromptLane(Source& typed, std::unique_ptr<Source>&& source, const PromptOptions& options, TokenCounter count_tokens,
             RandomKey key)
      : PromptContext(std::move(source), options, std::move(count_tokens), key),
        source_(&typed),
        buffer(typed.buffer()) {}

  Source* source_;

 public:
  Buffer& buffer;  ///< all experience
};

}  // namespace icpi
