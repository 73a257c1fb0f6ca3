// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

namespace icpi::program {

/// Runs gnuplot on `script`, a file name, in `folder`. No shell is involved. Throws Error when gnuplot is not
/// installed or fails.
void run_gnuplot(const std::filesystem::path& folder, const char* script);

}  // namespace icpi::program
