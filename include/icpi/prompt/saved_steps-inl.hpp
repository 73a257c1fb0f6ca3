// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/prompt/saved_steps.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi::detail {

ICPI_INLINE void refuse_lossy(std::string_view text) {
  throw InvalidArgument(
      fmt::format("save: the observation written as {} does not read back as itself; give save() and load() a codec "
                  "that writes all of it",
                  excerpt(text)));
}

ICPI_INLINE void refuse_unread(std::string_view text) {
  throw InvalidArgument(fmt::format("load: the observation {} cannot be read", excerpt(text)));
}

ICPI_INLINE void refuse_action(std::uint64_t action) {
  throw InvalidArgument(fmt::format("load: the environment has no action number {}", action));
}

ICPI_INLINE void refuse_departed(std::size_t departed) {
  throw InvalidArgument(fmt::format(
      "save: {} transitions have left the buffer; an agent is saved while its buffer holds all that it was given",
      departed));
}

ICPI_INLINE void refuse_smaller(std::size_t steps, std::size_t lost) {
  throw InvalidArgument(fmt::format(
      "load: the buffer would forget {} of the {} transitions that the agent was saved with; make it with a "
      "larger max_transitions",
      lost, steps));
}

ICPI_INLINE void check_events(const std::vector<MemoryEvent>& events, std::size_t steps) {
  std::uint64_t told = 0;
  for (const MemoryEvent& event : events) {
    if (event.kind == MemoryEvent::Kind::close) continue;
    if (event.count > steps - told)  // and not the sum, which whoever made a file could let wrap around
      throw InvalidArgument(
          fmt::format("{} transitions were remembered after {}, and the buffer or the file has {}: it must keep what "
                      "it is given",
                      event.count, told, steps));
    told += event.count;
  }
  if (told == steps) return;
  throw InvalidArgument(fmt::format(
      "{} transitions were remembered, and the buffer or the file has {}: it must keep what it is given", told, steps));
}

}  // namespace icpi::detail
