// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace icpi::induction {

/// A part of the model that an ablation leaves out (benchmarks/measurements builds one program for each).
enum class Part : std::uint8_t {
  none,             ///< the whole model
  similar_records,  ///< rows from records of another shape
  lines,            ///< rows from lines that begin alike, whatever came before
  relative_views,   ///< answers relative to other tokens of the record
  pair_views,       ///< answers relative to sums and differences of two numbers
  relations,        ///< tests whether one number is less than, equal to or greater than another
  thresholds,       ///< tests whether a number is at most a constant
  tests,            ///< all tests: one distribution for a view
  several_tests,    ///< more than one test in a hypothesis
  repetitions       ///< what followed exactly the same record
};

#ifndef ICPI_INDUCTION_WITHOUT
#define ICPI_INDUCTION_WITHOUT none
#endif

/// What is left out of this build: the macro ICPI_INDUCTION_WITHOUT, the same in every unit of a program.
inline constexpr Part left_out = Part::ICPI_INDUCTION_WITHOUT;

}  // namespace icpi::induction
