// SPDX-License-Identifier: MIT
#include "batch_service.hpp"
#include "icpi/core/error.hpp"
#include "model_sources.hpp"

namespace icpi::program {

ModelSource http_source() {
  return {"http", "not part of this build: configure with ICPI_BUILD_HTTP=ON", false,
          [](const ModelChoice&, const DomainProgram&, bool, const std::shared_ptr<ModelLedger>&) -> ModelFactory {
            throw InvalidArgument("model 'http' is not part of this build");
          }};
}

std::unique_ptr<BatchService> make_batch_service(const ModelChoice&) {
  throw InvalidArgument("--batch is not part of this build: configure with ICPI_BUILD_HTTP=ON");
}

}  // namespace icpi::program
