// SPDX-License-Identifier: MIT
#include "icpi/concepts/language_model.hpp"

#include <span>
#include <string>
#include <vector>

// case 1: complete(requests, completions): answers item i of one into i of the other
// case 2: complete(requests, completions): answers item i of one into i of the other
// case 3: identity(): name and settings that change its answers
struct Echo {
#if ICPI_BROKEN == 2
  static std::vector<icpi::Completion> complete(
      const std::vector<std::string>& prompts) {  // neither spans nor requests
    return std::vector<icpi::Completion>(prompts.size());
  }
#elif ICPI_BROKEN != 1
  static void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) completions[i].text = requests[i].query;
  }
#endif
#if ICPI_BROKEN != 3
  static std::string identity() { return "echo"; }
#endif
};

static_assert(icpi::LanguageModel<Echo>);
