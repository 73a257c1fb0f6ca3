// SPDX-License-Identifier: MIT
#include "cache_database.hpp"
#include "icpi/core/error.hpp"

namespace icpi::program {

std::shared_ptr<store::CacheBackend> open_database(const ModelChoice&) {
  throw InvalidArgument(
      "--cache names a database: this build of icpi has no component 'postgres' (ICPI_BUILD_POSTGRES=OFF); allowed: a "
      "file");
}

}  // namespace icpi::program
