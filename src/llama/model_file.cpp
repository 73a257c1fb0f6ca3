// SPDX-License-Identifier: MIT
#include "model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"

namespace icpi::llama {

void check_model_file(const std::string& path) {
  const auto refuse = [&](std::string_view what) { throw InvalidArgument(fmt::format("llama: {}: {}", path, what)); };
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (status.type() == std::filesystem::file_type::not_found) {
    const bool relative = std::filesystem::path(path).is_relative();
    refuse(relative ? fmt::format("there is no such file in {}", std::filesystem::current_path(problem).string())
                    : "there is no such file");
  }
  if (problem) refuse("cannot be read: " + problem.message());
  if (std::filesystem::is_directory(status)) refuse("is a directory");
  if (!std::filesystem::is_regular_file(status)) refuse("is not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(fmt::format("cannot be read: {}", std::strerror(errno)));
  std::array<char, 4> magic{};
  file.read(magic.data(), magic.size());
  if (!file || std::string_view(magic.data(), magic.size()) != "GGUF") refuse("is not a GGUF file");
}

std::string fingerprint_of(const std::string& path, std::span<const FilePart> parts) {
  std::ifstream file(path, std::ios::binary);
  RandomKey key(std::filesystem::file_size(path));
  for (const FilePart& part : parts) {
    file.clear();
    file.seekg(static_cast<std::streamoff>(part.begin));
    for (std::uint64_t at = 0; at < part.size; at += 4096) {
      std::array<char, 4096> block{};
      const auto wanted = std::min<std::uint64_t>(part.size - at, block.size());
      file.read(block.data(), static_cast<std::streamsize>(wanted));
      for (std::size_t i = 0; i < wanted; i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, block.data() + i, 8);
        key = RandomKey(key.seed() ^ word);
      }
    }
  }
  return fmt::format("{:016x}", key.seed());
}

}  // namespace icpi::llama
