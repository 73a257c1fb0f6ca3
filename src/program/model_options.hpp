// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include "model_sources.hpp"

namespace icpi::program {

/// What every command takes that asks a model, `--model` aside.
void add_model_options(CLI::App& command, ModelChoice& model);

/// The same and `--model`.
void add_model(CLI::App& command, ModelChoice& model);

}  // namespace icpi::program
