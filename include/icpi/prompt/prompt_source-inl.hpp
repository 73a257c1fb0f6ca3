// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "icpi/prompt/prompt_source.hpp"

namespace icpi {

ICPI_INLINE TransitionIds detail::consecutive_ids(std::vector<TransitionId>& ids, std::size_t size,
                                                  const TransitionRange& range) {
  while (ids.size() < size) ids.push_back(static_cast<TransitionId>(ids.size()));
  return TransitionIds(ids).subspan(range.first, range.size());
}

ICPI_INLINE PromptSource::~PromptSource() = default;

ICPI_INLINE ConstantTexts::ConstantTexts(const StopStrings& answers_end) : stops(answers_end) {}
ICPI_INLINE void ConstantTexts::add_action(std::string text) { actions.push_back(std::move(text)); }
ICPI_INLINE ConstantTexts::ConstantTexts(const ConstantTexts&) = default;
ICPI_INLINE ConstantTexts::ConstantTexts(ConstantTexts&&) noexcept = default;
ICPI_INLINE ConstantTexts& ConstantTexts::operator=(const ConstantTexts&) = default;
ICPI_INLINE ConstantTexts& ConstantTexts::operator=(ConstantTexts&&) noexcept = default;
ICPI_INLINE ConstantTexts::~ConstantTexts() = default;

ICPI_INLINE void check_accepted(const PromptSource& source, const StopStrings& stops, std::string_view observation) {
  if (source.accepts_observation(without_stop(observation, stops[QueryKind::observation]))) return;
  throw InvalidArgument(
      fmt::format("formatter: accepts_observation refuses the text {} of a real observation", excerpt(observation)));
}

ICPI_INLINE void check_accepted(const PromptSource& source, const StopStrings& stops, const TransitionText& text) {
  check_accepted(source, stops, std::string_view(text.head).substr(0, text.action_at));
  check_accepted(source, stops, text.next_observation);
  if (source.read_reward(without_stop(text.reward, stops[QueryKind::reward]))) return;
  throw InvalidArgument(
      fmt::format("formatter: parse_reward does not read the text {} of a real reward", excerpt(text.reward)));
}

ICPI_INLINE void check_reads_back(const PromptSource& source, const ConstantTexts& texts) {
  const auto& actions = texts.actions;
  for (std::size_t last = 0; last < actions.size(); ++last) {
    for (std::size_t i = 0; i < last; ++i) {
      if (actions[i] == actions[last]) {
        throw InvalidArgument(fmt::format("formatter: actions {} and {} have the same text \"{}\"; texts must differ",
                                          i, last, without_stop(actions[i], "\n")));
      }
    }
  }
  check_option(!actions.empty(), "number of the environment's actions", 0, "at least 1");
  for (std::size_t number = 0; number < actions.size(); ++number) {
    if (source.read_action(without_stop(actions[number], texts.stops[QueryKind::action])) != number) {
      throw InvalidArgument(fmt::format("formatter: the text \"{}\" of action {} is not read back as that action",
                                        without_stop(actions[number], "\n"), number));
    }
  }
  for (const bool ended : {false, true}) {
    const std::string& text = ended ? texts.ended : texts.going_on;
    if (source.read_termination(without_stop(text, texts.stops[QueryKind::termination])) != ended) {
      throw InvalidArgument(
          fmt::format("formatter: the termination text \"{}\" is not read back", without_stop(text, "\n")));
    }
  }
}

}  // namespace icpi
