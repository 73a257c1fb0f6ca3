# What this libllama's interface is like: versions differ, and a version's number does not tell all (0.0.<build> before 0.1).
include(CheckCXXSourceCompiles)

# The version that all tests run with, and those whose headers icpi::llama was compiled with.
set(icpi_llama_tested 0.7)
set(icpi_llama_compiled 0.5 0.1 "0.0 of July 2026")

# What every version must have: name=expression. `library.hpp` has what may be one way or another.
set(icpi_llama_needs
    "llama_model_load_from_file=llama_model_load_from_file(\"\", llama_model_default_params())"
    "llama_init_from_model=llama_init_from_model(model, parameters)"
    "llama_context_params::flash_attn_type=parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED"
    "llama_context_params::kv_unified=parameters.kv_unified = true"
    "llama_context_params::swa_full=parameters.swa_full = true"
    "llama_memory_clear=llama_memory_clear(llama_get_memory(context), false)"
    "llama_memory_seq_cp=llama_memory_seq_cp(llama_get_memory(context), 0, 1, 0, 1)"
    "llama_memory_seq_rm=llama_memory_seq_rm(llama_get_memory(context), 0, 0, -1)"
    "llama_state_seq_get_data=llama_state_seq_get_data(context, nullptr, 0, 0)"
    "llama_state_seq_get_size=llama_state_seq_get_size(context, 0)"
    "llama_state_seq_set_data=llama_state_seq_set_data(context, nullptr, 0, 0)"
    "llama_max_parallel_sequences=llama_max_parallel_sequences()"
    "llama_model_chat_template=llama_model_chat_template(model, nullptr)"
    "llama_chat_apply_template=llama_chat_apply_template(\"\", nullptr, 0, true, nullptr, 0)"
    "llama_model_is_recurrent=llama_model_is_recurrent(model)"
    "llama_model_is_hybrid=llama_model_is_hybrid(model)"
    "llama_model_is_diffusion=llama_model_is_diffusion(model)"
    "llama_vocab_is_eog=llama_vocab_is_eog(llama_model_get_vocab(model), 0)")

# Sets `variable` in the cache to whether these statements compile with llama.h.
function(icpi_llama_compiles variable statements)
  set(CMAKE_REQUIRED_LIBRARIES llama)
  set(CMAKE_REQUIRED_QUIET TRUE)
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # libraries that link elsewhere only are no matter here
  check_cxx_source_compiles(
    "#include <llama.h>
     void probe(llama_model* model, llama_context* context, llama_context_params parameters) {
       static_cast<void>(model), static_cast<void>(context), static_cast<void>(parameters);
       ${statements}
     }"
    ${variable})
endfunction()

# Ends with an error that names what this libllama lacks, warns of one that was not tested; sets ICPI_LLAMA_TELLS_VERSION and
# ICPI_LLAMA_HAS_LOAD_MODE to 1 or 0 in the caller.
function(icpi_probe_llama)
  string(MAKE_C_IDENTIFIER "ICPI_LLAMA_${llama_VERSION}" version) # found anew where another one is named
  set(all "")
  foreach(need IN LISTS icpi_llama_needs)
    string(REGEX REPLACE "^[^=]*=" "" expression "${need}")
    string(APPEND all "${expression};\n")
  endforeach()
  icpi_llama_compiles(${version}_FITS "${all}")
  if(NOT ${version}_FITS)
    set(missing "")
    foreach(need IN LISTS icpi_llama_needs)
      string(REGEX REPLACE "=.*" "" name "${need}")
      string(REGEX REPLACE "^[^=]*=" "" expression "${need}")
      string(MAKE_C_IDENTIFIER "${version}_${name}" found)
      icpi_llama_compiles(${found} "${expression};")
      if(NOT ${found})
        list(APPEND missing ${name})
      endif()
    endforeach()
    list(JOIN missing ", " missing)
    list(JOIN icpi_llama_compiled ", " compiled)
    message(FATAL_ERROR "icpi::llama cannot use libllama ${llama_VERSION} of ${llama_DIR}: it lacks ${missing}. "
                        "Tested is ${icpi_llama_tested}; ${compiled} have what it needs")
  endif()
  if(NOT llama_VERSION MATCHES "^${icpi_llama_tested}\\.")
    message(WARNING "icpi::llama was tested with libllama ${icpi_llama_tested}; ${llama_VERSION} of ${llama_DIR} has what it "
                    "needs: run its tests, ctest -R llama")
  endif()
  icpi_llama_compiles(${version}_TELLS_VERSION "llama_version();")
  icpi_llama_compiles(${version}_HAS_LOAD_MODE "llama_model_default_params().load_mode == LLAMA_LOAD_MODE_MMAP;")
  foreach(name IN ITEMS TELLS_VERSION HAS_LOAD_MODE)
    set(value 0)
    if(${version}_${name})
      set(value 1)
    endif()
    set(ICPI_LLAMA_${name} ${value} PARENT_SCOPE)
  endforeach()
endfunction()
