// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/answer_memo.hpp"
#include "icpi/prompt/legal_notes.hpp"
#include "icpi/prompt/legal_sets.hpp"
#include "icpi/prompt/prompt_book.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/rendered_transitions.hpp"
#include "icpi/prompt/stable_prompt.hpp"
#include "icpi/prompt/text_interner.hpp"

namespace icpi {

/// What the environments of one agent have in common: experience, its prompts, and what was asked about them.
struct SharedPrompts {
  /// See PromptContext.
  SharedPrompts(PromptSource& experience, ConstantTexts texts, const PromptOptions& options, TokenCounter count_tokens,
                RandomKey random_key)
      : source(&experience),
        book(*source, std::move(texts), options, std::move(count_tokens), random_key.child(0)),
        key(random_key),
        answer_key(random_key.child(~std::uint64_t{0})) {
    book.update();
  }

  PromptSource* source;          ///< what writes, reads and remembers
  PromptBook book;               ///< its prompts
  TextInterner observations;     ///< handles
  AnswerMemo memo;               ///< answers
  LegalNotes legal;              ///< what could be done where
  LegalSetNumbers legal_sets;    ///< what may be answered
  RandomKey key;                 ///< of all environments: child 1 + e is of number e
  RandomKey answer_key;          ///< of answers that hold whoever asks, and whenever
  std::size_t environments = 0;  ///< how many there are
  std::size_t departed = 0;      ///< what had left the buffer when `memo` was looked at last
  std::uint64_t decisions = 0;   ///< of all of them
};

/// What a PromptContext is made of.
struct PromptState {
  /// Kept in `memo` from decision to decision: of append-only prompts with a temperature above 0 those of earlier ones are
  /// of no use, nor are those of prompts that have changed.
  static constexpr std::size_t most_answers = 1U << 16U;
  /// Kept in `observations` from decision to decision where several environments share them, or answers outlive episodes.
  static constexpr std::size_t most_texts = 1U << 16U;

  /// By kind of question and termination.
  using KindKeys = std::array<LastChild, 2 * all_query_kinds.size()>;

  /// That of environment number `number`.
  PromptState(std::shared_ptr<SharedPrompts> common, std::uint64_t number)
      : shared(std::move(common)),
        source(shared->source),
        book(shared->book),
        observations(shared->observations),
        memo(shared->memo),
        legal(*source, shared->legal, shared->legal_sets, number),
        environment(number),
        key(shared->key.child(1 + number)) {
    ++shared->environments;
  }

  /// Whether handles or answers have become many.
  [[nodiscard]] bool full() const noexcept {
    return memo.size() > most_answers || observations.size() > most_texts || shared->legal_sets.size() > most_texts;
  }

  /// What is legal at an observation of this decision, as a number of `shared->legal_sets`.
  [[nodiscard]] std::uint32_t legal_number(ObservationId observation) {
    return legal.number_at(observations, observation, legality);
  }
  /// What is legal at an observation of this decision. Valid until handles begin anew.
  [[nodiscard]] LegalActions legal_at(ObservationId observation) {
    return shared->legal_sets.set(legal_number(observation));
  }

  /// The current stable prompt without its query; action queries choose among the episode's policy prompts by `variant`.
  [[nodiscard]] const StablePrompt& stable_prompt(QueryKind kind, std::size_t action, bool terminated,
                                                  std::size_t variant) const {
    return kind == QueryKind::action ? policy_prompts[variant % policy_prompts.size()]
                                     : book.stable_prompt(kind, action, terminated);
  }

  /// Drives what is drawn in every decision alike; key: child 0 is the prompts', 1 + e that of environment number e.
  [[nodiscard]] RandomKey drawn_key() const noexcept { return shared->key.child(std::uint64_t{1} << 63U); }

  std::shared_ptr<SharedPrompts> shared;     ///< with the agent's other environments
  PromptSource* source;                      ///< of `shared`
  PromptBook& book;                          ///< of `shared`
  TextInterner& observations;                ///< of `shared`
  AnswerMemo& memo;                          ///< of `shared`
  LegalSets legal;                           ///< what can be done where, as far as is known here
  std::uint64_t environment;                 ///< which of the agent's
  RandomKey key;                             ///< of all episodes
  RandomKey episode_key;                     ///< of the running episode
  std::uint64_t decision = 0;                ///< of this episode, from 1 on
  LastChild decision_key;                    ///< child `decision` of `episode_key`
  KindKeys kind_keys;                        ///< children of what drives answers
  std::uint64_t asking = 0;                  ///< number of the decision among all of the agent's
  LegalSourceCounts legality{};              ///< how it was known what is legal, so far
  std::vector<StablePrompt> policy_prompts;  ///< of the running episode, where prompts are stable

  std::vector<RenderedTransitions::Seen> recalled;  ///< working memory of PromptContext::recall
};

}  // namespace icpi
