// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/llama is compiled: link icpi::llama, which brings icpi::icpi, instead of icpi::header_only"
#endif

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace icpi::llama {

/// How keys and values of the attention are kept.
enum class KvType : std::uint8_t {
  f32,   ///< for comparisons; twice the memory of f16
  f16,   ///< the usual one
  q8_0,  ///< about half the memory of f16, a little less exact
};

constexpr std::string_view name(KvType type) noexcept {
  switch (type) {
    case KvType::f32: return "f32";
    case KvType::f16: return "f16";
    case KvType::q8_0: return "q8_0";
  }
  return "unknown";
}

/// Everything a LlamaLanguageModel needs; only `model_path` must be set.
struct Options {
  std::string model_path;  ///< a GGUF file
  /// Says which answers are interchangeable (cache keys, records). Empty: made of the file's name, its size, all that
  /// stands before its tensors, and samples of every tensor. Of a model in several files only the first one counts.
  std::string identity;

  std::size_t context = 0;  ///< tokens of prompt and completion together; 0: what the model was trained for
  /// MiB for keys and values of all prefixes and completions, taken at construction; 0: eight contexts, but no more than
  /// 1024 MiB unless one context needs it.
  std::size_t kv_mib = 0;
  KvType kv_type = KvType::f16;  ///< how they are kept
  std::size_t concurrency = 64;  ///< completions that are worked on at once; in 1 .. 128
  /// Most tokens computed at once; at least 32. Up to 63, answers depend least on what else is computed: ggml takes
  /// another kernel for more.
  std::size_t batch_tokens = 512;
  int threads = 0;                ///< that compute; 0: as many as there are processors
  int gpu_layers = 0;             ///< layers computed on a GPU, when libllama has one; negative: all
  bool memory_map = true;         ///< map the file instead of reading it: quick, and shared between processes
  std::string backend_directory;  ///< where ggml's backends are; empty: where ggml looks by itself

  /// Polled between computations; once true, whatever is unfinished ends as `cancelled`.
  std::function<bool()> interrupted;
};

/// Throws InvalidArgument that names the field and what is wrong with it.
void validate(const Options& options);

}  // namespace icpi::llama
