// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "icpi/prompt/memory_event.hpp"

namespace icpi {

ICPI_INLINE void detail::note_event(std::vector<MemoryEvent>& events, MemoryEvent::Kind kind, std::uint64_t count) {
  const bool joins = kind != MemoryEvent::Kind::trajectory && !events.empty() && events.back().kind == kind;
  if (!joins) events.push_back({kind, 0});
  events.back().count += count;
}

}  // namespace icpi
