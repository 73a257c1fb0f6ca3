// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "icpi/domains/all.hpp"

namespace icpi::test {

/// Where an episode may begin; `probability` is 0 where the starts are continuous.
struct TableStart {
  std::string state;
  double probability = 0;
  double optimal_return = 0;
};

struct TableStep {
  std::string state;
  std::string action;
  std::string next;  ///< ends in `*` where the last number is uniform in 0..7
  double reward = 0;
  bool terminated = false;
};

struct DomainTable {
  std::vector<TableStart> starts;
  std::vector<TableStep> steps;
};

/// Reads tests/golden/domain_<name>.txt.
inline DomainTable read_domain_table(std::string_view name) {
  const std::string path = fmt::format("{}/domain_{}.txt", ICPI_GOLDEN_DIR, name);
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  DomainTable table;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind, state, action, next, reward, ends;
    words >> kind >> state;
    if (kind == "start") {
      words >> reward >> ends;
      table.starts.push_back({state, reward == "-" ? 0 : std::stod(reward), std::stod(ends)});
    } else if (kind == "step") {
      while (words >> action >> next >> reward >> ends)
        table.steps.push_back({state, action, next, std::stod(reward), ends == "yes"});
    }
  }
  return table;
}

inline std::string table_text(int state) { return fmt::format("{}", state); }
inline std::string table_text(const DistractorChainObservation& o) {
  return fmt::format("{},{}", o.state, o.distractor);
}
inline std::string table_text(const MazeCell& o) { return fmt::format("{},{}", o.row, o.column); }
inline std::string table_text(const MiniCatchObservation& o) {
  return fmt::format("{},{},{}", o.paddle, o.ball_x, o.ball_y);
}
inline std::string table_text(const MiniInvadersObservation& o) {
  std::string text = fmt::format("{}", o.ship);
  for (const auto& alien : o.aliens) text += alien ? fmt::format(";{},{}", alien->x, alien->y) : ";-";
  return text;
}
inline std::string table_text(const PointMassObservation& o) {
  return fmt::format("{},{}", NumberText(o.position).view(), NumberText(o.velocity).view());
}

inline std::vector<double> numbers_of(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) numbers.push_back(std::stod(part));
  return numbers;
}

template <class Observation>
Observation table_state(const std::string& text) {
  if constexpr (std::is_same_v<Observation, MiniInvadersObservation>) {
    std::istringstream parts(text);
    std::string part;
    std::getline(parts, part, ';');
    Observation seen{std::stoi(part), {}};
    while (std::getline(parts, part, ';')) {
      seen.aliens.emplace_back();
      if (part == "-") continue;
      const auto numbers = numbers_of(part);
      seen.aliens.back() = Alien{static_cast<int>(numbers.at(0)), static_cast<int>(numbers.at(1))};
    }
    return seen;
  } else {
    const auto numbers = numbers_of(text);
    const auto number = [&](std::size_t i) { return static_cast<int>(numbers.at(i)); };
    if constexpr (std::is_same_v<Observation, int>)
      return number(0);
    else if constexpr (std::is_same_v<Observation, PointMassObservation>)
      return {numbers.at(0), numbers.at(1)};
    else if constexpr (std::is_same_v<Observation, MiniCatchObservation>)
      return {number(0), number(1), number(2)};
    else
      return {number(0), number(1)};
  }
}

/// The actions' names in the tables, in the order of actions().
template <class Env>
std::vector<std::string> table_actions() {
  if constexpr (std::is_same_v<Env, Maze>)
    return {"left", "down", "up", "right"};
  else if constexpr (std::is_same_v<Env, MiniCatch>)
    return {"left", "stay", "right"};
  else if constexpr (std::is_same_v<Env, MiniInvaders>)
    return {"left", "shoot", "right"};
  else if constexpr (std::is_same_v<Env, PointMass>)
    return {"decel", "accel"};
  else
    return {"left", "try_goal", "right"};
}

}  // namespace icpi::test
