// SPDX-License-Identifier: MIT
#pragma once

#include "icpi/concepts/language_model.hpp"

namespace icpi::testing::detail {

// What a model claims: where it has capabilities() these say it, as its members may serve another model that has less;
// else the concepts that it models.

template <class Model>
bool claims_choices(const Model& model) {
  if constexpr (requires { model.capabilities().constrains_choices; })
    return model.capabilities().constrains_choices;
  else
    return ConstrainsChoices<Model>;
}

template <ScoresContinuations Model>
bool claims_scores(const Model& model) {
  if constexpr (requires { model.capabilities().scores; })
    return model.capabilities().scores;
  else
    return true;
}

template <AsynchronousLanguageModel Model>
bool claims_submission(const Model& model) {
  if constexpr (requires { model.capabilities().asynchronous; })
    return model.capabilities().asynchronous;
  else
    return true;
}

}  // namespace icpi::testing::detail
