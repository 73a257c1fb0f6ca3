// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/distractor_chain_formatter.hpp"
#include "icpi/domains/maze_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/domains/mini_invaders_formatter.hpp"
#include "icpi/domains/point_mass_formatter.hpp"

namespace icpi {

/// The shipped domains, in the order of the paper.
using AllDomains = std::tuple<Chain, DistractorChain, Maze, MiniCatch, MiniInvaders, PointMass>;

/// Their names, in the same order.
inline constexpr std::array domain_names{Chain::name,     DistractorChain::name, Maze::name,
                                         MiniCatch::name, MiniInvaders::name,    PointMass::name};

namespace detail {

template <std::size_t Index, class Visitor>
decltype(auto) visit_domain(std::string_view name, Visitor&& visitor) {
  using Env = std::tuple_element_t<Index, AllDomains>;
  if constexpr (Index + 1 < std::tuple_size_v<AllDomains>) {
    if (name != Env::name) return visit_domain<Index + 1>(name, std::forward<Visitor>(visitor));
  }
  return std::forward<Visitor>(visitor)(Env{});
}

}  // namespace detail

/// Calls `visitor` with the domain of this name, with default options, and returns what it returns: the same type for
/// all. Throws InvalidArgument with the known names if there is none.
template <class Visitor>
decltype(auto) visit_domain(std::string_view name, Visitor&& visitor) {
  bool known = false;
  for (const std::string_view domain : domain_names) known = known || domain == name;
  if (!known)
    throw InvalidArgument(fmt::format("unknown domain '{}': choose one of {}", name, fmt::join(domain_names, ", ")));
  return detail::visit_domain<0>(name, std::forward<Visitor>(visitor));
}

/// Calls `visitor` with every shipped domain, in order.
template <class Visitor>
void for_each_domain(Visitor&& visitor) {
  std::apply([&](auto&&... env) { (visitor(env), ...); }, AllDomains{});
}

}  // namespace icpi
