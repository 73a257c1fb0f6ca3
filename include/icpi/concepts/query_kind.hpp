// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace icpi {

/// The four questions of a simulated step (Brooks et al. 2023, section 3).
enum class QueryKind : std::uint8_t { termination, reward, observation, action };

inline constexpr std::array query_kinds{QueryKind::termination, QueryKind::reward, QueryKind::observation,
                                        QueryKind::action};

constexpr std::string_view name(QueryKind kind) noexcept {
  switch (kind) {
    case QueryKind::termination: return "termination";
    case QueryKind::reward: return "reward";
    case QueryKind::observation: return "observation";
    case QueryKind::action: return "action";
  }
  return "unknown";
}

}  // namespace icpi
