// SPDX-License-Identifier: MIT
#include "gguf_header.hpp"

#include <fmt/format.h>
#include <gguf.h>

#include <cstdint>
#include <string_view>

#include "icpi/core/error.hpp"

namespace icpi::llama {

void GgufHeader::Free::operator()(gguf_context* header) const noexcept { gguf_free(header); }

GgufHeader::GgufHeader(const std::string& path)
    : header_(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = nullptr})) {
  if (header_) check_numbers(path);
}

std::string GgufHeader::architecture() const {
  const auto key = gguf_find_key(header_.get(), "general.architecture");
  const bool known = key >= 0 && gguf_get_kv_type(header_.get(), key) == GGUF_TYPE_STRING;
  return known ? gguf_get_val_str(header_.get(), key) : "";
}

void GgufHeader::check_numbers(const std::string& path) const {
  struct Number {
    std::string_view name;
    std::uint32_t most;  ///< above which libllama ends the process or counts wrongly
  };
  for (const Number number : {Number{"block_count", 512}, Number{"context_length", 0x7FFFFFFF}}) {
    const std::string full = fmt::format("{}.{}", architecture(), number.name);
    const auto key = gguf_find_key(header_.get(), full.c_str());
    if (key < 0 || gguf_get_kv_type(header_.get(), key) != GGUF_TYPE_UINT32) continue;
    const std::uint32_t value = gguf_get_val_u32(header_.get(), key);
    if (value < 1 || value > number.most)
      throw InvalidArgument(fmt::format("llama: {}: {} is {}; allowed: 1 to {}", path, full, value, number.most));
  }
}

std::vector<FilePart> GgufHeader::telling_parts() const {
  if (!header_) return {};
  std::vector<FilePart> tensors;
  for (std::int64_t i = 0; i < gguf_get_n_tensors(header_.get()); ++i)
    tensors.push_back({gguf_get_tensor_offset(header_.get(), i), gguf_get_tensor_size(header_.get(), i)});
  return icpi::llama::telling_parts(gguf_get_data_offset(header_.get()), tensors);
}

}  // namespace icpi::llama
