// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"

namespace icpi {

/// A PromptContext that takes observations and transitions of an environment: an AgentMemory.
/// Thread-safety: one object by one thread at a time.
template <Environment Env, PromptFormatter<Env> Formatter, ReplayBuffer<Env> Buffer>
class PromptLane : public PromptContext {
  using Source = TypedPromptSource<Env, Formatter, Buffer>;

 public:
  /// `random_key` drives the choice of examples. Throws as PromptContext.
  PromptLane(const Env& env, Buffer experience, Formatter formatter, const PromptOptions& options,
             TokenCounter count_tokens, RandomKey random_key)
      : PromptLane(std::make_unique<Source>(env, std::move(experience), std::move(formatter)), options,
                   std::move(count_tokens), random_key) {}

  /// See PromptContext::observe_text.
  [[nodiscard]] ObservationId observe(const typename Env::Observation& observation) {
    return observe_text(source_->write_observation(observation));
  }

  /// Throws what append() and extend() would throw because of this transition's texts.
  void check(const TransitionOf<Env>& transition) const { check_text(source_->write_step(transition)); }

  /// Adds a finished episode. All or nothing, as PromptContext::remember.
  void append(const TrajectoryOf<Env>& trajectory) {
    remember(write(trajectory), [&] { buffer.append(trajectory); });
  }

  /// Adds a step of the running episode: its prompts change at once. All or nothing, as append().
  void extend(const TransitionOf<Env>& transition) {
    remember(write(std::span(&transition, 1)), [&] { buffer.extend(transition); });
  }

  /// The running episode is over.
  void close() {
    buffer.close();
    update();
  }

  /// What writes and reads.
  [[nodiscard]] const Formatter& formatter() const noexcept { return source_->formatter(); }

 private:
  PromptLane(std::unique_ptr<Source> source, const PromptOptions& options, TokenCounter count_tokens, RandomKey key)
      : PromptLane(*source, std::move(source), options, std::move(count_tokens), key) {}

  PromptLane(Source& typed, std::unique_ptr<Source>&& source, const PromptOptions& options, TokenCounter count_tokens,
             RandomKey key)
      : PromptContext(std::move(source), options, std::move(count_tokens), key),
        source_(&typed),
        buffer(typed.buffer()) {}

  [[nodiscard]] std::vector<TransitionText> write(std::span<const TransitionOf<Env>> transitions) const {
    std::vector<TransitionText> texts;
    for (const auto& transition : transitions) texts.push_back(source_->write_step(transition));
    return texts;
  }

  Source* source_;

 public:
  Buffer& buffer;  ///< all experience
};

}  // namespace icpi
