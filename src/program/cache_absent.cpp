// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "icpi/core/error.hpp"
#include "model_sources.hpp"

namespace icpi::program {

ModelFactory with_cache(ModelFactory, const ModelChoice& choice, std::shared_ptr<ModelLedger>) {
  throw InvalidArgument(
      fmt::format("--cache '{}': this build has no cache; configure it with ICPI_BUILD_STORE=ON", choice.cache));
}

}  // namespace icpi::program
