// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cache_command.hpp"
#include "icpi/core/error.hpp"
#include "model_sources.hpp"

namespace icpi::program {

namespace {

[[noreturn]] void refuse_cache(const std::string& cache) {
  throw InvalidArgument(
      fmt::format("cache '{}': this build has no cache; configure it with ICPI_BUILD_STORE=ON", cache));
}

}  // namespace

void check_cache(const ModelChoice& choice) { refuse_cache(choice.cache); }

ModelFactory with_cache(ModelFactory make, const ModelChoice& choice, std::shared_ptr<ModelLedger>) {
  check_cache(choice);
  return make;
}

void cache_info(const CacheArguments& arguments, std::ostream&) { refuse_cache(arguments.cache); }
void cache_merge(const CacheArguments& arguments, std::ostream&) { refuse_cache(arguments.cache); }
void cache_export(const CacheArguments& arguments, std::ostream&) { refuse_cache(arguments.cache); }
void cache_prune(const CacheArguments& arguments, std::ostream&) { refuse_cache(arguments.cache); }

}  // namespace icpi::program
