// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "icpi/store/cache_backend.hpp"
#include "model_sources.hpp"

namespace icpi::program {

/// Whether `--cache` names a database that many machines share, and no file: "postgresql://host/name".
inline bool names_database(const std::string& cache) {
  return cache.starts_with("postgresql://") || cache.starts_with("postgres://");
}

// Defined by the source file that fits the build: with icpi::postgres or without.

/// That database. Throws InvalidArgument when this build reaches none or the choice makes no sense, and what opening it
/// throws.
std::shared_ptr<store::CacheBackend> open_database(const ModelChoice& choice);

}  // namespace icpi::program
