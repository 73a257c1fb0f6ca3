// SPDX-License-Identifier: MIT
#include "icpi/core/error.hpp"
#include "model_sources.hpp"

namespace icpi::program {

ModelSource http_source() {
  return {"http", "not part of this build: configure with ICPI_BUILD_HTTP=ON", false,
          [](const ModelChoice&, const DomainProgram&, bool, const std::shared_ptr<ModelLedger>&) -> ModelFactory {
            throw InvalidArgument("model 'http' is not part of this build");
          }};
}

}  // namespace icpi::program
