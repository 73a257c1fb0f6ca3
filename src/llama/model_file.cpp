// SPDX-License-Identifier: MIT
#include "model_file.hpp"

#include <fmt/format.h>
#include <gguf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"

namespace icpi::llama {

namespace {

constexpr std::uint64_t block_size = 4096;
constexpr std::uint64_t blocks_per_tensor = 16;

/// Mixes parts of a file into one number.
class FileHash {
 public:
  FileHash(const std::string& path, std::uint64_t size) : file_(path, std::ios::binary), key_(size) {}

  /// Adds `size` bytes from `begin` on.
  void add(std::uint64_t begin, std::uint64_t size) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(begin));
    for (std::uint64_t left = size; left > 0;) {
      std::array<char, block_size> block{};
      const std::uint64_t wanted = std::min(left, block_size);
      file_.read(block.data(), static_cast<std::streamsize>(wanted));
      for (std::uint64_t at = 0; at < wanted; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, block.data() + at, 8);
        key_ = RandomKey(key_.seed() ^ word);
      }
      left -= wanted;
    }
  }

  [[nodiscard]] std::uint64_t value() const noexcept { return key_.seed(); }

 private:
  std::ifstream file_;
  RandomKey key_;
};

}  // namespace

void ModelFile::Free::operator()(gguf_context* header) const noexcept { gguf_free(header); }

ModelFile::ModelFile(std::string path) : path_(std::move(path)) {
  check_is_gguf();
  header_.reset(gguf_init_from_file(path_.c_str(), {.no_alloc = true, .ctx = nullptr}));
  if (header_) check_numbers();
}

void ModelFile::check_is_gguf() const {
  const auto refuse = [&](std::string_view what) { throw InvalidArgument(fmt::format("llama: {}: {}", path_, what)); };
  std::error_code problem;
  const auto status = std::filesystem::status(path_, problem);
  if (status.type() == std::filesystem::file_type::not_found) {
    const bool relative = std::filesystem::path(path_).is_relative();
    refuse(relative ? fmt::format("there is no such file in {}", std::filesystem::current_path(problem).string())
                    : "there is no such file");
  }
  if (problem) refuse("cannot be read: " + problem.message());
  if (std::filesystem::is_directory(status)) refuse("is a directory");
  if (!std::filesystem::is_regular_file(status)) refuse("is not a regular file");
  std::ifstream file(path_, std::ios::binary);
  if (!file) refuse(fmt::format("cannot be read: {}", std::strerror(errno)));
  std::array<char, 4> magic{};
  file.read(magic.data(), magic.size());
  if (!file || std::string_view(magic.data(), magic.size()) != "GGUF") refuse("is not a GGUF file");
}

std::string ModelFile::architecture() const {
  const auto key = gguf_find_key(header_.get(), "general.architecture");
  const bool known = key >= 0 && gguf_get_kv_type(header_.get(), key) == GGUF_TYPE_STRING;
  return known ? gguf_get_val_str(header_.get(), key) : "";
}

void ModelFile::check_numbers() const {
  struct Number {
    std::string_view name;
    std::uint32_t most;  ///< above which libllama ends the process or counts wrong
  };
  for (const Number number : {Number{"block_count", 512}, Number{"context_length", 0x7FFFFFFF}}) {
    const std::string full = fmt::format("{}.{}", architecture(), number.name);
    const auto key = gguf_find_key(header_.get(), full.c_str());
    if (key < 0 || gguf_get_kv_type(header_.get(), key) != GGUF_TYPE_UINT32) continue;
    const std::uint32_t value = gguf_get_val_u32(header_.get(), key);
    if (value < 1 || value > number.most)
      throw InvalidArgument(fmt::format("llama: {}: {} is {}; allowed: 1 to {}", path_, full, value, number.most));
  }
}

std::string ModelFile::fingerprint() const {
  FileHash hash(path_, std::filesystem::file_size(path_));
  const std::uint64_t data = header_ ? gguf_get_data_offset(header_.get()) : 0;
  hash.add(0, data);
  const std::int64_t tensors = header_ ? gguf_get_n_tensors(header_.get()) : 0;
  for (std::int64_t i = 0; i < tensors; ++i) {
    const std::uint64_t begin = data + gguf_get_tensor_offset(header_.get(), i);
    const std::uint64_t size = gguf_get_tensor_size(header_.get(), i);
    if (size <= blocks_per_tensor * block_size) {
      hash.add(begin, size);
      continue;
    }
    for (std::uint64_t block = 0; block < blocks_per_tensor; ++block)
      hash.add(begin + (size - block_size) * block / (blocks_per_tensor - 1), block_size);
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace icpi::llama
