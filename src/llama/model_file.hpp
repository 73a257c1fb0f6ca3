// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace icpi::llama {

/// Refuses what is no GGUF file at all, in plainer words than libllama's: throws InvalidArgument.
void check_model_file(const std::string& path);

/// Bytes of a file.
struct FilePart {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

/// What tells files of weights apart: all that stands before the tensors, which begin at `data`, and 16 blocks of 4 KiB of
/// every tensor (all of a smaller one). `tensors`: as places behind `data`.
std::vector<FilePart> telling_parts(std::uint64_t data, std::span<const FilePart> tensors);

/// 16 hexadecimal digits that depend on the file's size and on these parts of it; what lies behind its end counts as
/// zeros.
std::string fingerprint_of(const std::string& path, std::span<const FilePart> parts);

}  // namespace icpi::llama
