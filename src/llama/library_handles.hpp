// SPDX-License-Identifier: MIT
// What libllama gives for a model. Only loaded_*.cpp see llama.h, by way of library.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "library.hpp"
#include "loaded_model.hpp"

namespace icpi::llama {

struct FreeModel {
  void operator()(llama_model* model) const noexcept { llama_model_free(model); }
};
struct FreeContext {
  void operator()(llama_context* context) const noexcept { llama_free(context); }
};

struct LoadedModel::Handles {
  std::unique_ptr<llama_model, FreeModel> model;
  std::unique_ptr<llama_context, FreeContext> context;
  llama_memory_t memory = nullptr;
  const llama_vocab* vocabulary = nullptr;
  // One batch, as llama_decode wants it.
  std::vector<llama_token> tokens;
  std::vector<llama_pos> positions;
  std::vector<llama_seq_id> sequences;
  std::vector<int32_t> sequence_counts;
  std::vector<llama_seq_id*> sequence_lists;
  std::vector<int8_t> outputs;
};

}  // namespace icpi::llama
