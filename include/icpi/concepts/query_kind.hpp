// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace icpi {

/// The four questions of a simulated step (Brooks et al. 2023, section 3), and the first three of them as one.
enum class QueryKind : std::uint8_t { termination, reward, observation, action, transition };

/// The kinds whose answers a formatter writes and reads. A transition's answer is that of the first three, in this order.
inline constexpr std::array query_kinds{QueryKind::termination, QueryKind::reward, QueryKind::observation,
                                        QueryKind::action};

/// All kinds, as an index: QueryKind k is number static_cast<std::size_t>(k).
inline constexpr std::array all_query_kinds{QueryKind::termination, QueryKind::reward, QueryKind::observation,
                                            QueryKind::action, QueryKind::transition};

constexpr std::string_view name(QueryKind kind) noexcept {
  switch (kind) {
    case QueryKind::termination: return "termination";
    case QueryKind::reward: return "reward";
    case QueryKind::observation: return "observation";
    case QueryKind::action: return "action";
    case QueryKind::transition: return "transition";
  }
  return "unknown";
}

}  // namespace icpi
