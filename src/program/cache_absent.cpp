// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "icpi/core/error.hpp"
#include "model_sources.hpp"

namespace icpi::program {

void check_cache(const ModelChoice& choice) {
  throw InvalidArgument(
      fmt::format("--cache '{}': this build has no cache; configure it with ICPI_BUILD_STORE=ON", choice.cache));
}

ModelFactory with_cache(ModelFactory make, const ModelChoice& choice, std::shared_ptr<ModelLedger>) {
  check_cache(choice);
  return make;
}

}  // namespace icpi::program
