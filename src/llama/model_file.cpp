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

namespace {

/// What a file is that begins so, as far as models come in such files or downloads end in them; empty: who knows.
std::string_view kind_of(std::string_view beginning) {
  struct Kind {
    std::string_view magic;
    std::string_view name;
  };
  constexpr std::array kinds{Kind{"version https://git-lfs", "the pointer of Git LFS to a file that was not fetched"},
                             Kind{"PK\x03\x04", "a zip archive, as PyTorch's files are"},
                             Kind{"\x1F\x8B", "compressed by gzip"},
                             Kind{"\x28\xB5\x2F\xFD", "compressed by zstd"},
                             Kind{"lmgg", "of llama.cpp's format before GGUF"},
                             Kind{"fmgg", "of llama.cpp's format before GGUF"},
                             Kind{"tjgg", "of llama.cpp's format before GGUF"},
                             Kind{"FUGG", "of a machine with the other byte order"},
                             Kind{"<", "a page of HTML or XML"}};
  for (const Kind& kind : kinds)
    if (beginning.starts_with(kind.magic)) return kind.name;
  // A header of so many bytes in JSON.
  if (beginning.size() > 9 && beginning.substr(8).starts_with("{\"")) return "of safetensors";
  return {};
}

}  // namespace

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
  std::array<char, 32> bytes{};
  file.read(bytes.data(), bytes.size());
  const std::string_view beginning(bytes.data(), static_cast<std::size_t>(file.gcount()));
  if (beginning.empty()) refuse("is empty");
  if (beginning.starts_with("GGUF")) return;
  const std::string_view kind = kind_of(beginning);
  refuse(kind.empty() ? "is not a GGUF file" : fmt::format("is not a GGUF file: it is {}", kind));
}

std::vector<FilePart> telling_parts(std::uint64_t data, std::span<const FilePart> tensors) {
  constexpr std::uint64_t block = 4096;
  constexpr std::uint64_t blocks = 16;
  std::vector<FilePart> parts{{0, data}};
  for (const FilePart& tensor : tensors) {
    const std::uint64_t begin = data + tensor.begin;
    if (tensor.size <= blocks * block) {
      parts.push_back({begin, tensor.size});
      continue;
    }
    for (std::uint64_t k = 0; k < blocks; ++k)
      parts.push_back({begin + (tensor.size - block) * k / (blocks - 1), block});
  }
  return parts;
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
