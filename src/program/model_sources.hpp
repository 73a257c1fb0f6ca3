// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "domain_program.hpp"

namespace icpi::program {

/// Everything that the command line says about a model.
struct ModelChoice {
  std::string name;        ///< "induction", "oracle", "http", "llama"
  std::string url;         ///< http
  std::string model_name;  ///< http: as the server calls it
  std::string file;        ///< llama: a GGUF file
  std::string cache;       ///< keep answers in this file, over runs; empty: do not
  std::string record;      ///< write every request and answer to this file; empty: do not
};

/// A kind of model that the program knows.
struct ModelSource {
  std::string_view name;
  std::string_view meaning;
  bool available = true;  ///< in this build
  /// Throws InvalidArgument for choices that it does not take. `hints`: of the formatter in use.
  ModelFactory (*factory)(const ModelChoice& choice, const DomainProgram& domain, bool hints);
};

/// Every kind, those that this build lacks included.
const std::vector<ModelSource>& model_sources();

/// What makes the models for a method. Throws InvalidArgument for an unknown or missing kind.
ModelFactory model_factory(const ModelChoice& choice, const DomainProgram& domain, bool hints);

/// Throws InvalidArgument with the known names unless there is such a kind and this build has it.
void check_model_name(std::string_view name);

// Defined by the source file that fits the build: with the component or without.
ModelSource http_source();
ModelSource llama_source();

/// `make`, behind a cache in `file`. Throws InvalidArgument when this build has none.
ModelFactory with_cache(ModelFactory make, const std::string& file);

}  // namespace icpi::program
