// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
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

/// The published curve of ICPI with code-davinci-002 in a domain: regret in bins of equal width; hidden ones are NaN.
struct PaperCurve {
  std::size_t horizon = 0;
  std::vector<double> bins;
};

/// What src/program/data/paper.json says.
struct PaperNumbers {
  std::vector<std::string> domains;
  std::vector<PaperRow> rows;
  std::map<std::string, PaperCurve> icpi_curves;  ///< by domain
};

/// Compiled into the program, so that it is found wherever the program runs.
const PaperNumbers& paper_numbers();

/// The text of src/program/data/paper.json.
std::string_view paper_json();

}  // namespace icpi::program
