// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "icpi/core/random.hpp"
#include "icpi/prompt/answer_memo.hpp"
#include "icpi/prompt/legal_sets.hpp"
#include "icpi/prompt/prompt_book.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/text_interner.hpp"

namespace icpi {

/// What a PromptContext is made of.
struct PromptState {
  /// See PromptContext.
  PromptState(PromptSource& experience, ConstantTexts texts, const PromptOptions& options, TokenCounter count_tokens,
              RandomKey random_key)
      : source(&experience),
        book(*source, std::move(texts), options, std::move(count_tokens), random_key.child(0)),
        legal(*source),
        key(random_key.child(1)) {
    book.update();
  }

  /// What is legal at an observation of this decision. Valid until the next call.
  [[nodiscard]] LegalActions legal_at(ObservationId observation) {
    return legal.at(*source, observations, observation, decision);
  }

  /// Kept in `memo` from decision to decision: with a temperature above 0 those of earlier ones are of no use.
  static constexpr std::size_t most_answers = 1U << 16U;

  PromptSource* source;        ///< what writes, reads and remembers
  PromptBook book;             ///< its prompts
  TextInterner observations;   ///< handles of the episode
  AnswerMemo memo;             ///< answers of the episode
  LegalSets legal;             ///< what can be done where
  RandomKey key;               ///< of all episodes
  RandomKey episode_key;       ///< of the running episode
  std::uint64_t decision = 0;  ///< of this episode, from 1 on
};

}  // namespace icpi
