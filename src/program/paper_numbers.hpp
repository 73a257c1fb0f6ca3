// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icpi::program {

/// A method's two numbers in a domain.
struct PaperValue {
  double auc = 0;
  double last20 = 0;
};

/// A row of published or reference numbers.
struct PaperRow {
  std::string name;                ///< as a person reads it
  std::string agent;               ///< the label of the method it is held against; empty: of none
  std::vector<PaperValue> values;  ///< by domain, in the order of paper_numbers().domains
};

/// What src/program/data/paper.json says.
struct PaperNumbers {
  std::vector<std::string> domains;
  std::vector<PaperRow> rows;
};

/// Compiled into the program, so that it is found wherever the program runs.
const PaperNumbers& paper_numbers();

/// The text of src/program/data/paper.json.
std::string_view paper_json();

}  // namespace icpi::program
