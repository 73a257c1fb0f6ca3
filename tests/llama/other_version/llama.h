// SPDX-License-Identifier: MIT
// Two functions less than icpi::llama needs.
#pragma once

struct llama_model;
struct llama_context;
struct llama_vocab;
struct llama_memory;
struct llama_model_params {};
struct llama_context_params {
  int flash_attn_type;
  bool kv_unified;
  bool swa_full;
};
constexpr int LLAMA_FLASH_ATTN_TYPE_ENABLED = 1;

llama_model_params llama_model_default_params();
llama_model* llama_model_load_from_file(const char* path, llama_model_params parameters);
llama_context* llama_init_from_model(llama_model* model, llama_context_params parameters);
llama_memory* llama_get_memory(llama_context* context);
void llama_memory_clear(llama_memory* memory, bool data);
bool llama_memory_seq_rm(llama_memory* memory, int sequence, int from, int to);
unsigned long llama_state_seq_get_size(llama_context* context, int sequence);
unsigned long llama_state_seq_get_data(llama_context* context, unsigned char* bytes, unsigned long size, int sequence);
unsigned long llama_state_seq_set_data(llama_context* context, const unsigned char* bytes, unsigned long size,
                                       int sequence);
unsigned long llama_max_parallel_sequences();
const char* llama_model_chat_template(llama_model* model, const char* name);
int llama_chat_apply_template(const char* words, const void* chat, unsigned long messages, bool reply, char* text,
                              int size);
bool llama_model_is_recurrent(llama_model* model);
bool llama_model_is_hybrid(llama_model* model);
bool llama_model_is_diffusion(llama_model* model);
const llama_vocab* llama_model_get_vocab(llama_model* model);
