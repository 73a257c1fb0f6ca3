// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "icpi/models/budget.hpp"
#include "run_files.hpp"

namespace icpi::program {

/// Predicts what the runs will ask of their models, in lines for a person: plays one seed of each with the oracle in the
/// model's place. Says what it costs at the budget's prices and which limits it passes.
std::string predict_costs(const std::vector<PlannedRun>& runs, const Budget& budget);

}  // namespace icpi::program
