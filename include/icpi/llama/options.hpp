// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/llama is compiled: link icpi::llama, which brings icpi::icpi, instead of icpi::header_only"
#endif

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "icpi/core/prompt_text.hpp"

namespace icpi {
class AnyLanguageModel;
}

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

/// Who guesses how a completion goes on, so that one computation checks several tokens.
enum class DraftSource : std::uint8_t {
  none,       ///< nobody: every token is a computation
  induction,  ///< InductionModel, asked greedily; it costs some microseconds a question
  ngram,      ///< what followed in the prompt where the last tokens stood before
};

constexpr std::string_view name(DraftSource source) noexcept {
  switch (source) {
    case DraftSource::none: return "none";
    case DraftSource::induction: return "induction";
    case DraftSource::ngram: return "ngram";
  }
  return "unknown";
}

/// How prompts are put to the model.
enum class PromptStyle : std::uint8_t {
  continuation,  ///< as they are, to be continued
  turns,         ///< every example as a message of the user and the reply to it, by the file's chat template
};

constexpr std::string_view name(PromptStyle style) noexcept {
  return style == PromptStyle::turns ? "turns" : "continuation";
}

/// Everything a LlamaLanguageModel needs; only `model_path` must be set.
struct Options {
  std::string model_path;  ///< a GGUF file
  /// Says which answers are interchangeable (cache keys, records). Empty: made of the file's name, its size, all that
  /// stands before its tensors, and samples of every tensor. Of a model in several files only the first one counts.
  std::string identity;

  std::size_t context = 0;  ///< tokens of prompt and completion together; 0: what the model was trained for
  /// MiB for keys, values and states of all prefixes and completions, taken at construction; 0: eight contexts, or as many
  /// states as fit, but no more than 1024 MiB unless one context needs it. Where room between prefixes has to be closed, as
  /// much again as these take is needed for a moment.
  std::size_t kv_mib = 0;
  KvType kv_type = KvType::f16;  ///< how they are kept
  std::size_t concurrency = 64;  ///< completions that are worked on at once; in 1 .. 128
  /// Most tokens computed at once; at least 32. Up to 63, answers do not depend on what else is computed: ggml takes another
  /// kernel for more.
  std::size_t batch_tokens = 512;
  int threads = 0;                ///< that compute; 0: as many as there are processors
  int gpu_layers = 0;             ///< layers computed on a GPU, when libllama has one; negative: all
  bool memory_map = true;         ///< map the file instead of reading it: quick, and shared between processes
  bool repack = true;             ///< order weights for this processor where ggml can: quicker, and other last bits
  std::string backend_directory;  ///< where ggml's backends are; empty: where ggml looks by itself

  DraftSource draft = DraftSource::induction;  ///< guesses; changes what is computed, not what is answered
  /// Guesses in place of `draft`, when there is one. Its own errors mean that it has no idea; what it throws, complete and
  /// collect throw. Used only inside these calls.
  std::shared_ptr<AnyLanguageModel> draft_model;

  PromptStyle style = PromptStyle::continuation;  ///< `turns` needs a file with a chat template that libllama knows
  std::string instruction{turns_instruction};     ///< system message of the style `turns`; empty: none

  /// Polled between computations; once true, whatever is unfinished ends as `cancelled`.
  std::function<bool()> interrupted;
};

/// Throws InvalidArgument that names the field and what is wrong with it.
void validate(const Options& options);

}  // namespace icpi::llama
