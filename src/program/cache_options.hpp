// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>

#include "cache_command.hpp"

namespace icpi::program {

/// Adds `icpi cache`.
void add_cache(CLI::App& app, CacheArguments& arguments);

/// Carries it out if it was given.
void run_cache(const CLI::App& app, const CacheArguments& arguments, std::ostream& out);

}  // namespace icpi::program
