// SPDX-License-Identifier: MIT
#include "model_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"

namespace icpi::llama {

void check_model_file(const std::string& path) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (status.type() == std::filesystem::file_type::not_found)
    throw InvalidArgument(fmt::format("llama: {}: there is no such file", path));
  if (problem) throw InvalidArgument(fmt::format("llama: {}: cannot be read: {}", path, problem.message()));
  if (std::filesystem::is_directory(status)) throw InvalidArgument(fmt::format("llama: {}: is a directory", path));
  if (!std::filesystem::is_regular_file(status))
    throw InvalidArgument(fmt::format("llama: {}: is not a regular file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InvalidArgument(fmt::format("llama: {}: cannot be read: {}", path, std::strerror(errno)));
  std::array<char, 4> magic{};
  file.read(magic.data(), magic.size());
  if (!file || std::string_view(magic.data(), magic.size()) != "GGUF")
    throw InvalidArgument(fmt::format("llama: {}: is not a GGUF file", path));
}

std::string fingerprint_of(const std::string& path) {
  constexpr std::uint64_t blocks = 64;
  const std::uint64_t size = std::filesystem::file_size(path);
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4096> block{};
  RandomKey key(size);
  for (std::uint64_t i = 0; i < blocks; ++i) {
    file.clear();
    file.seekg(static_cast<std::streamoff>(size / blocks * i));
    file.read(block.data(), block.size());
    const auto got = static_cast<std::size_t>(file.gcount());
    for (std::size_t at = 0; at + 8 <= got; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, block.data() + at, 8);
      key = RandomKey(key.seed() ^ word);
    }
  }
  return fmt::format("{:016x}", key.seed());
}

}  // namespace icpi::llama
