// SPDX-License-Identifier: MIT
// Loading; loaded_vocabulary.cpp and loaded_memory.cpp have what is done with what was loaded.
#include "loaded_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <thread>

#include "gguf_header.hpp"
#include "icpi/core/error.hpp"
#include "library_handles.hpp"
#include "library_log.hpp"
#include "model_file.hpp"

namespace icpi::llama {

namespace {

void start_library(const std::string& backend_directory) {
  check_library_version(library_version());
  static std::mutex starting;
  const std::lock_guard lock(starting);
  static const bool initialized = (llama_backend_init(), true);
  static_cast<void>(initialized);
  if (ggml_backend_dev_count() == 0 && backend_directory.empty()) ggml_backend_load_all();
  if (ggml_backend_dev_count() == 0 && !backend_directory.empty())
    ggml_backend_load_all_from_path(backend_directory.c_str());
  if (ggml_backend_dev_count() == 0)
    throw InvalidArgument(fmt::format("llama: ggml finds no backend in {}",
                                      backend_directory.empty() ? "its own directories" : backend_directory));
}

std::string device_names() {
  std::string names;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i)
    names += fmt::format("{}{}", i == 0 ? "" : ", ", ggml_backend_dev_name(ggml_backend_dev_get(i)));
  return names;
}

std::string text_of(const llama_model* model, const std::string& key) {
  std::array<char, 256> text{};
  const auto size = llama_model_meta_val_str(model, key.c_str(), text.data(), text.size());
  return size < 0 ? std::string() : in_one_line(text.data());
}

std::size_t number_of(const llama_model* model, const std::string& key, std::size_t otherwise) {
  const std::string text = text_of(model, key);
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

/// Whether ggml may bring most of the weights into another order, which it has other code for; where the file does not say of
/// which type they are: no.
bool may_be_repacked(const llama_model* model) {
  constexpr std::array<std::size_t, 6> never{LLAMA_FTYPE_ALL_F32,     LLAMA_FTYPE_MOSTLY_F16,  LLAMA_FTYPE_MOSTLY_BF16,
                                             LLAMA_FTYPE_MOSTLY_Q4_1, LLAMA_FTYPE_MOSTLY_Q5_0, LLAMA_FTYPE_MOSTLY_Q5_1};
  const std::size_t type = number_of(model, "general.file_type", LLAMA_FTYPE_ALL_F32);
  return std::find(never.begin(), never.end(), type) == never.end();
}

ggml_type ggml_type_of(KvType type) {
  switch (type) {
    case KvType::f32: return GGML_TYPE_F32;
    case KvType::f16: return GGML_TYPE_F16;
    case KvType::q8_0: return GGML_TYPE_Q8_0;
  }
  return GGML_TYPE_F16;
}

/// Bytes that one token's keys and values take over all layers.
std::uint64_t bytes_per_token(const llama_model* model, const std::string& architecture, KvType type) {
  const auto heads = static_cast<std::size_t>(llama_model_n_head(model));
  const auto width = static_cast<std::size_t>(llama_model_n_embd(model));
  const auto usual = heads == 0 ? 0 : width / heads;
  const auto key_width = number_of(model, architecture + ".attention.key_length", usual);
  const auto value_width = number_of(model, architecture + ".attention.value_length", usual);
  const auto kv_heads = static_cast<std::size_t>(llama_model_n_head_kv(model));
  const ggml_type kind = ggml_type_of(type);
  const auto row = ggml_row_size(kind, static_cast<std::int64_t>(kv_heads * key_width)) +
                   ggml_row_size(kind, static_cast<std::int64_t>(kv_heads * value_width));
  return row * static_cast<std::size_t>(llama_model_n_layer(model));
}

/// Free memory of this machine in bytes; unknown: the largest number.
std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  std::uint64_t kib = 0;
  while (file >> word)
    if (word == "MemAvailable:" && file >> kib) return kib * 1024;
  return std::numeric_limits<std::uint64_t>::max();
}

int thread_count(const Options& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// What every context has in common.
llama_context_params context_parameters(const Options& options) {
  llama_context_params parameters = llama_context_default_params();
  parameters.n_threads = thread_count(options);
  parameters.n_threads_batch = parameters.n_threads;
  // Flash attention passes over the cells of other sequences; without it every token would pay for all of them.
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  parameters.type_k = ggml_type_of(options.kv_type);
  parameters.type_v = parameters.type_k;
  parameters.kv_unified = true;  // sequences share cells
  parameters.swa_full = true;    // prefixes are needed from their beginning
  parameters.no_perf = true;
  return parameters;
}

constexpr std::uint64_t mebibyte = 1U << 20U;

}  // namespace

void check_library_version(std::string_view found) {
  if (found != ICPI_LLAMA_VERSION)
    throw Error(fmt::format("llama: built for libllama {}, but libllama {} was loaded", ICPI_LLAMA_VERSION, found));
}

LoadedModel::LoadedModel(const Options& options) : handles_(std::make_unique<Handles>()) {
  validate(options);
  const auto lock = ErrorLog::instance().begin();
  check_model_file(options.model_path);
  start_library(options.backend_directory);
  const GgufHeader header(options.model_path);
  load_weights(options);
  make_memory(options);
  read_vocabulary();
  fingerprint_ = fingerprint_of(options.model_path, header.telling_parts());
}

LoadedModel::~LoadedModel() = default;

void LoadedModel::load_weights(const Options& options) {
  const std::string& path = options.model_path;
  llama_model_params parameters = llama_model_default_params();
  parameters.n_gpu_layers = options.gpu_layers;
  set_memory_map(parameters, options.memory_map && llama_supports_mmap());
  parameters.use_extra_bufts = options.repack;
  handles_->model.reset(llama_model_load_from_file(path.c_str(), parameters));
  const llama_model* model = handles_->model.get();
  if (model == nullptr) {
    const std::string reason = ErrorLog::instance().first();
    throw InvalidArgument(fmt::format("llama: {}: cannot be loaded: {}", path, reason.empty() ? "no reason" : reason));
  }
  Capabilities& known = capabilities_;
  known.architecture = text_of(model, "general.architecture");
  const auto refuse = [&](std::string_view what) {
    throw InvalidArgument(
        fmt::format("llama: {}: architecture '{}' cannot be used: {}", path, known.architecture, what));
  };
  if (llama_model_has_encoder(model) || !llama_model_has_decoder(model)) refuse("it is not a plain decoder");
  if (llama_model_is_diffusion(model)) refuse("it does not write from left to right");
  handles_->vocabulary = llama_model_get_vocab(model);
  if (llama_vocab_type(handles_->vocabulary) == LLAMA_VOCAB_TYPE_NONE) refuse("the file holds no vocabulary");

  std::array<char, 256> description{};
  llama_model_desc(model, description.data(), description.size());
  known.file = path;
  known.name = text_of(model, "general.name");
  known.description = description.data();
  known.library = library_version();
  known.devices = device_names();
  const ChatMessage greeting{"user", "hello"};
  const bool has_words = llama_model_chat_template(model, nullptr) != nullptr;
  known.chat = !has_words                         ? ChatTemplate::none
               : converse({&greeting, 1}).empty() ? ChatTemplate::unknown
                                                  : ChatTemplate::known;
  known.parameters = llama_model_n_params(model);
  known.weight_bytes = llama_model_size(model);
  known.vocabulary = static_cast<std::size_t>(llama_vocab_n_tokens(handles_->vocabulary));
  known.trained_context = static_cast<std::size_t>(std::max(0, llama_model_n_ctx_train(model)));
  known.context = options.context == 0 ? known.trained_context : options.context;
  if (known.context > known.trained_context)
    throw InvalidArgument(
        fmt::format("llama: context is {}; {} was trained for {}", known.context, path, known.trained_context));
  if (known.context == 0) refuse("the file does not say how long a text may be");
  batch_tokens_ = options.batch_tokens;
  if (llama_model_is_recurrent(model) || llama_model_is_hybrid(model)) {
    measure_states(options);
    if (known.state_bytes == 0) refuse("the sizes of its states are unknown");
    return;
  }
  if (may_be_repacked(model)) group_ = 4;
  known.kv_bytes_per_token = bytes_per_token(model, known.architecture, options.kv_type);
  if (known.kv_bytes_per_token == 0) refuse("the sizes of its attention are unknown");
}

/// What a sequence takes hangs on the architecture, which layers are recurrent, and on what such a layer keeps: it is seen by
/// how what would be stored of one grows.
void LoadedModel::measure_states(const Options& options) {
  llama_context_params parameters = context_parameters(options);
  parameters.n_ctx = 256;
  parameters.n_seq_max = 1;
  parameters.n_batch = parameters.n_ubatch = 32;
  const std::unique_ptr<llama_context, FreeContext> context(llama_init_from_model(handles_->model.get(), parameters));
  if (!context) return;
  std::array<llama_token, 32> tokens{};
  const auto bytes_after = [&](std::size_t more) -> std::size_t {
    if (llama_decode(context.get(), llama_batch_get_one(tokens.data(), static_cast<int32_t>(more))) != 0) return 0;
    return llama_state_seq_get_size(context.get(), 0);
  };
  const std::size_t one = bytes_after(1);
  const std::size_t many = bytes_after(tokens.size());
  if (one == 0 || many < one) return;
  capabilities_.kv_bytes_per_token = (many - one) / tokens.size();
  capabilities_.state_bytes = one - std::min<std::size_t>(one, capabilities_.kv_bytes_per_token);
}

/// Tokens and sequences that the budget has room for: sets what is known of them, and returns the tokens. Where there are both
/// states and keys and values, each has half, or as little as one context needs.
std::size_t LoadedModel::split_budget(const Options& options) {
  Capabilities& known = capabilities_;
  constexpr std::uint64_t unit = 256;         // libllama rounds up to it
  constexpr std::uint64_t fewest_states = 4;  // a prefix, a prompt with one way to go on, and company: see company_of()
  const bool states = known.state_bytes > 0;
  const std::uint64_t one_context = (known.context + unit - 1) / unit * unit;
  const std::uint64_t per_token = known.kv_bytes_per_token;
  const std::uint64_t budget = (options.kv_mib == 0 ? 1024 : options.kv_mib) * mebibyte;
  std::uint64_t cells = one_context;
  if (per_token > 0) cells = (states ? budget / 2 : budget) / per_token / unit * unit;
  if (options.kv_mib == 0) cells = std::min(8 * one_context, cells);
  if (options.kv_mib == 0 || states) cells = std::max(one_context, cells);
  const std::uint64_t fewest_bytes = one_context * per_token + (states ? fewest_states * known.state_bytes : 0);
  if (options.kv_mib != 0 && fewest_bytes > budget)
    throw InvalidArgument(fmt::format("llama: kv_mib is {}; {} needs at least {} for one context of {} tokens",
                                      options.kv_mib, known.file, (fewest_bytes + mebibyte - 1) / mebibyte,
                                      known.context));
  known.kv_bytes = cells * per_token;
  sequences_ = llama_max_parallel_sequences();
  if (!states) return cells;
  const std::uint64_t left = budget - std::min(budget, known.kv_bytes);
  sequences_ = std::min<std::uint64_t>(sequences_, std::max(fewest_states, left / known.state_bytes));
  known.states = sequences_;
  known.kv_bytes += sequences_ * known.state_bytes;
  return cells;
}

void LoadedModel::make_memory(const Options& options) {
  Capabilities& known = capabilities_;
  const std::uint64_t cells = split_budget(options);
  const std::uint64_t results = 2 * sizeof(float) * options.batch_tokens * known.vocabulary;  // in two places
  const auto too_much = [&](std::string_view why) {
    throw Error(fmt::format("llama: {}: out of memory: {} MiB for keys and values and {} MiB for logits {}", known.file,
                            known.kv_bytes / mebibyte, results / mebibyte, why));
  };
  const std::uint64_t available = available_memory();
  if (options.gpu_layers == 0 && known.kv_bytes + results > available)
    too_much(fmt::format("exceed the {} MiB that are available", available / mebibyte));
  if (cells > std::numeric_limits<std::int32_t>::max()) too_much("are more than libllama can count");

  llama_context_params parameters = context_parameters(options);
  parameters.n_ctx = static_cast<std::uint32_t>(cells);
  parameters.n_seq_max = static_cast<std::uint32_t>(sequences_);
  parameters.n_ubatch = static_cast<std::uint32_t>(options.batch_tokens);
  parameters.n_batch = std::max(parameters.n_ubatch, parameters.n_seq_max);  // else libllama aborts
  handles_->context.reset(llama_init_from_model(handles_->model.get(), parameters));
  if (!handles_->context) {
    const std::string reason = ErrorLog::instance().first();
    if (reason.find("alloc") != reason.npos) too_much(fmt::format("cannot be had: {}", reason));
    throw InvalidArgument(fmt::format("llama: {}: cannot be used with keys and values of type {}: {}", known.file,
                                      name(options.kv_type), reason.empty() ? "no reason" : reason));
  }
  handles_->memory = llama_get_memory(handles_->context.get());
  // Where tokens take no room of their own, sequences alone count.
  cells_ = known.kv_bytes_per_token == 0 ? cells * sequences_ : static_cast<std::size_t>(cells);
  company_ = static_cast<Sequence>(--sequences_);
  if (keeps_states()) return;
  const std::size_t keepers = std::clamp<std::size_t>(sequences_ / 4, 1, 64);
  sequences_ -= keepers;
  order_ = CellOrder(cells_, sequences_, keepers);
}

}  // namespace icpi::llama
