// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "icpi/models/induction.hpp"

namespace icpi_test {

inline icpi::Completion complete(icpi::InductionModel& model, const icpi::CompletionRequest& request) {
  icpi::Completion completion;
  model.complete({&request, 1}, {&completion, 1});
  return completion;
}

inline icpi::Scores score(icpi::InductionModel& model, std::string_view prefix, std::string_view query,
                          std::span<const std::string_view> texts) {
  const icpi::ScoreRequest request{{0, prefix}, query, texts};
  icpi::Scores scores;
  model.score({&request, 1}, {&scores, 1});
  return scores;
}

}  // namespace icpi_test
