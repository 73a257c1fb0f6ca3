// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace icpi::llama {

/// Refuses what is no GGUF file at all, in plainer words than libllama's: throws InvalidArgument.
void check_model_file(const std::string& path);

/// Of the size and 64 blocks of the file.
std::string fingerprint_of(const std::string& path);

}  // namespace icpi::llama
