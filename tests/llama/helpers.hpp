// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/llama/language_model.hpp"

namespace icpi_test {

/// Where the build wrote models with random weights.
inline std::string model_file(std::string_view size) { return fmt::format("{}/{}.gguf", ICPI_LLAMA_MODELS, size); }

/// Where ggml's backends are when it does not know by itself.
inline std::string backend_directory() {
  const char* given = std::getenv("ICPI_LLAMA_BACKENDS");
  return given == nullptr ? "" : given;
}

inline icpi::llama::Options small_options(std::string_view size = "tiny") {
  icpi::llama::Options options;
  options.model_path = model_file(size);
  options.backend_directory = backend_directory();
  options.threads = 1;
  return options;
}

/// As the chain's prompts, of records that `seed` draws.
inline std::string records(std::uint64_t seed, int count) {
  icpi::RandomStream stream{icpi::RandomKey(seed)};
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("assert state == {} and state != 4\nstate = {}()\nassert {}\n\n", stream.index(8),
                        stream.index(2) == 0 ? "left" : "right", stream.index(5) == 0 ? "done" : "not done");
  return text;
}

/// A question after such records.
inline std::string question(std::uint64_t seed) {
  icpi::RandomStream stream{icpi::RandomKey(seed)};
  return fmt::format("assert state == {} and state != 4\nstate = {}()\n", stream.index(8),
                     stream.index(2) == 0 ? "left" : "right");
}

inline icpi::CompletionRequest greedy(std::string_view prefix, std::string_view query, int max_tokens = 8) {
  icpi::CompletionRequest request;
  request.prefix.text = prefix;
  request.query = query;
  request.sampling = {.temperature = 0, .top_p = 1, .max_tokens = max_tokens};
  return request;
}

inline icpi::Completion ask(icpi::llama::LlamaLanguageModel& model, const icpi::CompletionRequest& request) {
  icpi::Completion completion;
  model.complete({&request, 1}, {&completion, 1});
  return completion;
}

inline std::vector<icpi::Completion> ask_all(icpi::llama::LlamaLanguageModel& model,
                                             const std::vector<icpi::CompletionRequest>& requests) {
  std::vector<icpi::Completion> completions(requests.size());
  model.complete(requests, completions);
  return completions;
}

/// Resident memory of this process in bytes, without pages of files, which the system maps as it likes.
inline std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  std::size_t of_files = 0;
  file >> all >> resident >> of_files;
  return (resident - of_files) * 4096;
}

}  // namespace icpi_test
