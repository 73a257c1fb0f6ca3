// SPDX-License-Identifier: MIT
// Any bytes as a record of the completion cache and as its file: refused by name, set aside, or read as it was written.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "cache_entry.hpp"
#include "earlier_entry.hpp"
#include "fuzz.hpp"
#include "icpi/store/completion_cache.hpp"

namespace {

using namespace icpi;

/// A folder of this process, removed at its end.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("icpi-fuzz-cache-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

void open_file(const std::string& bytes, bool used_before) {
  static const Folder folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) std::filesystem::remove(entry.path());
  const auto file = folder.path / "cache.sqlite";
  std::ofstream(file, std::ios::binary) << bytes;
  if (used_before) std::ofstream(file.string() + ".lock");
  try {
    store::CacheOptions options;
    options.file = file;
    store::CompletionStore cache(options);
    CompletionRequest request;
    request.query = "q";
    const auto key = fingerprint(request, "model");
    Completion completion;
    completion.text = "text";
    completion.finish = FinishReason::stop;
    const bool known = cache.find(key).has_value();
    cache.insert(key, completion);
    fuzz::require(known || cache.find(key) == completion, "what was stored is found");
    fuzz::require(cache.verify() == 0, "what was stored is sound");
  } catch (const Error&) {  // refused by name
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const unsigned flags = input.byte();
  const std::string bytes(input.rest());
  if ((flags & 1U) != 0) {
    open_file(bytes, (flags & 2U) != 0);
  } else if (const auto completion = store::read_entry("key", bytes)) {
    fuzz::require(!bytes.starts_with('{') && completion->finish != FinishReason::error, "an answer of version 1");
  }
  return 0;
}
