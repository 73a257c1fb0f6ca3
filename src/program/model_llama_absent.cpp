// SPDX-License-Identifier: MIT
#include "icpi/core/error.hpp"
#include "model_sources.hpp"

namespace icpi::program {

ModelSource llama_source() {
  return {"llama", "not part of this build: configure with ICPI_BUILD_LLAMA=ON", false,
          [](const ModelChoice&, const DomainProgram&, bool, const std::shared_ptr<ModelLedger>&) -> ModelFactory {
            throw InvalidArgument("model 'llama' is not part of this build");
          }};
}

}  // namespace icpi::program
