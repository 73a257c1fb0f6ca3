// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace icpi::program {

/// Draws `name`.svg and `name`.png in `folder` as the script `name`.gp there says; a figure that fails is not there at
/// all. No shell is involved. Throws Error when gnuplot is not installed or fails.
void draw_figure(const std::filesystem::path& folder, const std::string& name);

}  // namespace icpi::program
