// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/experiment/regret_curve.hpp"
#include "icpi/experiment/seed_groups.hpp"

namespace icpi::measurements {

/// The seeds of a table: the only argument of its program, A:B.
inline SeedRange table_seeds(int argc, char** argv, const char* usual) {
  if (argc > 2) throw InvalidArgument(fmt::format("usage: {} [A:B]   seeds A .. B-1, usually {}", argv[0], usual));
  return program::parse_seeds(argc == 2 ? argv[1] : usual);
}

/// Mean and standard error, in thousandths.
inline std::string cell(const Estimate& value) { return fmt::format("{:.3f} ±{:.3f}", value.mean, value.error); }

/// The same, with its sign.
inline std::string difference_cell(const Estimate& value) {
  return fmt::format("{:+.3f} ±{:.3f}", value.mean, value.error);
}

/// Runs what prints a table; an error is one line and exit code 1.
template <class Print>
int print_table(Print&& print) {
  try {
    print();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}

}  // namespace icpi::measurements
