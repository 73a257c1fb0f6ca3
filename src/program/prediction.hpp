// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "icpi/models/budget.hpp"
#include "run_files.hpp"

namespace icpi::program {

/// Predicts what the runs will ask of their models, in lines for a person: plays one seed of each with the oracle in the
/// model's place. Says what it costs at the runs' prices and which limits of the budget it passes.
std::string predict_costs(const std::vector<PlannedRun>& runs, const Budget& budget);

/// How often the run asks and waits for the answers before it can ask again, all seeds side by side, in a line for a
/// person without a newline: plays the run with the oracle in the model's place.
std::string predict_rounds(const PlannedRun& run);

}  // namespace icpi::program
