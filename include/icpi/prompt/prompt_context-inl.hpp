// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/prompt_state.hpp"

namespace icpi {

ICPI_INLINE PromptContext::PromptContext(PromptSource& source, const PromptOptions& options, TokenCounter count_tokens,
                                         RandomKey key) {
  ConstantTexts texts = source.constant_texts();
  check_reads_back(source, texts);
  state_ = make_owned<PromptState>(
      std::make_shared<SharedPrompts>(source, std::move(texts), options, std::move(count_tokens), key),
      std::uint64_t{0});
}

ICPI_INLINE PromptContext::PromptContext(const PromptContext& with, std::uint64_t environment)
    : state_(make_owned<PromptState>(with.state_->shared, environment)) {}

ICPI_INLINE PromptContext::~PromptContext() = default;

ICPI_INLINE void PromptContext::grow_actions() {
  if (state_->shared->environments > 1)
    throw InvalidArgument("grow: an agent in several environments takes in no actions");
  ConstantTexts texts = state_->source->constant_texts();
  check_reads_back(*state_->source, texts);
  state_->book.check_grown(texts);
  state_->book.grow(std::move(texts));
}

ICPI_INLINE void PromptContext::begin_episode(std::uint64_t episode) {
  if (state_->shared->environments == 1 && (!state_->book.answers_outlive_episodes() || state_->full()))
    forget_imagined();
  state_->decision = 0;
  state_->episode_key = state_->key.child(episode);
  if (state_->environment == 0) state_->book.draw_world_prompts(state_->episode_key.child(1U << 31U));
  state_->book.draw_policy_prompts(state_->episode_key.child(0), state_->policy_prompts);
}

ICPI_INLINE void PromptContext::begin_round() {
  const bool outdated = std::exchange(state_->shared->departed, state_->book.departed()) != state_->book.departed();
  if (outdated)
    state_->shared->legal.forget([&](std::string_view text) {
      for (std::size_t action = 0; action < state_->book.action_count(); ++action)
        if (state_->book.tried(text, action)) return true;
      return false;
    });
  if (state_->shared->environments > 1 && (state_->full() || (outdated && !state_->book.answers_outlive_episodes())))
    forget_imagined();
  state_->legal.begin_decision();
}

ICPI_INLINE void PromptContext::forget_imagined() {
  state_->observations.clear();
  state_->memo.clear();
  state_->shared->legal_sets.clear();
}

ICPI_INLINE ObservationId PromptContext::observe_text(std::string_view text) {
  check_observation_text(text);
  const auto id = state_->observations.intern(text);
  if (state_->memo.size() > PromptState::most_answers) state_->memo.clear();
  ++state_->decision;
  state_->asking = ++state_->shared->decisions;
  return id;
}

ICPI_INLINE void PromptContext::check_observation_text(std::string_view text) const {
  state_->book.check_observation(text);
  check_accepted(*state_->source, state_->book.stops(), text);
}

ICPI_INLINE void PromptContext::check_text(const TransitionText& text) const {
  state_->book.check(text);
  check_accepted(*state_->source, state_->book.stops(), text);
}

ICPI_INLINE void PromptContext::remember(std::size_t count) {
  std::vector<TransitionText> texts;
  for (std::size_t number = 0; number < count; ++number) texts.push_back(state_->source->write_arriving(number));
  for (const auto& text : texts) check_accepted(*state_->source, state_->book.stops(), text);
  auto rendered = state_->book.render(std::move(texts));
  state_->source->store_arriving();
  state_->book.update(std::move(rendered));
}

ICPI_INLINE void PromptContext::update() { state_->book.update(); }

ICPI_INLINE bool PromptContext::ready(LegalActions legal) const {
  const PromptSource& source = *state_->source;
  for (std::size_t action = 0; action < state_->book.action_count(); ++action)
    if (is_legal(legal, action) && source.matching(action, false).empty() && source.matching(action, true).empty())
      return false;
  return true;
}

ICPI_INLINE void PromptContext::note_legal_text(std::string_view observation, LegalActions legal) {
  state_->shared->legal.note(state_->environment, observation, legal);
}

ICPI_INLINE void PromptContext::stand_at_text(std::string_view observation, LegalActions legal) {
  state_->legal.stand(observation, legal);
}

ICPI_INLINE void PromptContext::note_here() { state_->legal.note_here(); }

ICPI_INLINE void PromptContext::forget_legal() { state_->legal.forget_places(); }

ICPI_INLINE std::uint64_t PromptContext::environment() const noexcept { return state_->environment; }

ICPI_INLINE std::vector<SavedLegal> PromptContext::noted_legal() const { return state_->shared->legal.noted(); }

ICPI_INLINE LegalActions PromptContext::legal(ObservationId observation) { return state_->legal_at(observation); }

ICPI_INLINE std::exception_ptr PromptContext::legal_failure() const { return state_->legal.failure(); }

ICPI_INLINE LegalSourceCounts PromptContext::legality() const noexcept { return state_->legality; }

ICPI_INLINE std::size_t PromptContext::trajectories() const { return state_->book.shown_trajectories(); }

ICPI_INLINE bool PromptContext::tried(ObservationId observation, std::uint32_t action) const {
  return state_->book.tried(state_->observations.text(observation), action);
}

ICPI_INLINE OutcomeCounts PromptContext::outcomes(ObservationId observation, std::uint32_t action) const {
  return state_->book.outcomes(state_->observations.text(observation), action);
}

ICPI_INLINE void PromptContext::recall(ObservationId observation, std::uint32_t action,
                                       std::vector<SeenOutcome>& seen) {
  state_->book.recall(state_->observations.text(observation), action, state_->recalled);
  seen.clear();
  for (const auto& [terminated, reward, next, times] : state_->recalled)
    seen.push_back({terminated, reward, state_->observations.intern(next), times});
}

ICPI_INLINE ActionExperience PromptContext::experience(std::uint32_t action) const {
  return state_->book.experience(action);
}

ICPI_INLINE std::string PromptContext::description() const { return state_->book.options().description(); }

ICPI_INLINE std::vector<std::string> PromptContext::action_texts() const {
  std::vector<std::string> texts;
  for (std::size_t action = 0; action < state_->book.action_count(); ++action)
    texts.emplace_back(state_->book.action_text(action));
  return texts;
}

ICPI_INLINE std::uint64_t PromptContext::hash(std::size_t count) const { return state_->book.hash(count); }

ICPI_INLINE std::string_view PromptContext::text(ObservationId observation) const {
  return state_->observations.text(observation);
}

}  // namespace icpi
