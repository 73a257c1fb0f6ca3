// SPDX-License-Identifier: MIT
// llama.h where its versions differ, under one name each. library.cmake finds out which of them is there.
#pragma once

#include <llama.h>

namespace icpi::llama {

/// The version of the library that was loaded; the one that this file was compiled for where the library does not tell.
inline const char* library_version() noexcept {
#if ICPI_LLAMA_TELLS_VERSION
  return llama_version();
#else
  return ICPI_LLAMA_VERSION;
#endif
}

/// Whether the file's weights are mapped into memory; otherwise they are read.
inline void set_memory_map(llama_model_params& parameters, bool maps) noexcept {
#if ICPI_LLAMA_HAS_LOAD_MODE
  parameters.load_mode = maps ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE;
#else
  parameters.use_mmap = maps;
#endif
}

}  // namespace icpi::llama
