// SPDX-License-Identifier: MIT
// Options of a local model and any file as its weights, up to where llama.cpp's own parser takes over: refused by name,
// or the file begins as GGUF files do, and its fingerprint depends on its bytes alone. Then what that parser hands over,
// places of tensors as any header may claim them: what is looked at lies in the file or behind it, in each tensor.
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "icpi/core/error.hpp"
#include "icpi/llama/options.hpp"
#include "model_file.hpp"

namespace {

std::string model_file() {
  static const auto file = std::filesystem::temp_directory_path() / ("icpi-fuzz-gguf-" + std::to_string(getpid()));
  return file.string();
}

/// Four bytes.
std::size_t number(icpi::fuzz::Input& input) {
  std::size_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8U | input.byte();
  return value;
}

icpi::llama::Options options_of(icpi::fuzz::Input& input) {
  icpi::llama::Options options;
  options.context = number(input);
  options.kv_mib = number(input);
  options.kv_type = static_cast<icpi::llama::KvType>(input.byte());
  options.concurrency = number(input);
  options.batch_tokens = number(input);
  options.threads = static_cast<int>(number(input));
  options.model_path = input.record();
  return options;
}

void check_options(const icpi::llama::Options& options) {
  try {
    icpi::llama::validate(options);
    icpi::fuzz::require(options.batch_tokens >= 32 && options.concurrency >= 1, "accepted options can be worked with");
    icpi::fuzz::require(name(options.kv_type) != "unknown", "accepted types have a name");
  } catch (const icpi::InvalidArgument& refusal) {
    icpi::fuzz::require(std::string_view(refusal.what()).starts_with("llama: "), "refusals name the option");
  }
}

/// Places of up to four tensors behind `data`; sizes up to 2^56, offsets up to 2^64.
void check_parts(icpi::fuzz::Input& input, std::uint64_t data) {
  using icpi::llama::FilePart;
  std::vector<FilePart> tensors(input.byte() % 5);
  for (FilePart& tensor : tensors) {
    tensor.begin = static_cast<std::uint64_t>(number(input)) << (input.byte() % 33);
    tensor.size = static_cast<std::uint64_t>(number(input)) << (input.byte() % 25);
  }
  const std::vector<FilePart> parts = icpi::llama::telling_parts(data, tensors);
  auto part = parts.begin();
  icpi::fuzz::require(part != parts.end() && part->begin == 0 && part->size == data,
                      "what precedes the tensors counts");
  for (const FilePart& tensor : tensors) {
    const std::size_t count = tensor.size <= 65536 ? 1 : 16;
    for (std::size_t i = 0; i < count; ++i) {
      icpi::fuzz::require(++part != parts.end(), "every tensor counts");
      const std::uint64_t within = part->begin - data - tensor.begin;
      icpi::fuzz::require(within + part->size <= tensor.size, "parts of a tensor are its own");
      icpi::fuzz::require(i + 1 < count || within + part->size == tensor.size, "a tensor's end counts");
    }
  }
  icpi::fuzz::require(part + 1 == parts.end(), "nothing else counts");
  const std::string fingerprint = icpi::llama::fingerprint_of(model_file(), parts);
  icpi::fuzz::require(fingerprint.size() == 16, "fingerprints have 16 digits");
  icpi::fuzz::require(fingerprint == icpi::llama::fingerprint_of(model_file(), parts), "fingerprints repeat");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  icpi::fuzz::Input input(data, size);
  check_options(options_of(input));
  const std::string_view bytes = input.rest();
  std::ofstream(model_file(), std::ios::binary) << bytes;
  bool accepted = true;
  try {
    icpi::llama::check_model_file(model_file());
  } catch (const icpi::InvalidArgument&) {
    accepted = false;
  }
  icpi::fuzz::require(accepted == bytes.starts_with("GGUF"), "files are known by their first bytes");
  const std::array<icpi::llama::FilePart, 2> parts{{{0, bytes.size()}, {bytes.size() / 2, 5000}}};
  const std::string fingerprint = icpi::llama::fingerprint_of(model_file(), parts);
  icpi::fuzz::require(fingerprint.size() == 16, "fingerprints have 16 digits");
  icpi::fuzz::require(fingerprint == icpi::llama::fingerprint_of(model_file(), parts), "fingerprints repeat");
  check_parts(input, bytes.size());
  std::filesystem::remove(model_file());
  return 0;
}
