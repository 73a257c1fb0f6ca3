// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "icpi/store/completion_cache.hpp"
#include "model_sources.hpp"

namespace icpi::program {

ModelFactory with_cache(ModelFactory make, const std::string& file) {
  return [make = std::move(make), file] {
    store::CacheOptions options;
    options.file = file;
    options.notice = [](std::string_view text) { fmt::print(stderr, "icpi: {}\n", text); };
    return AnyLanguageModel(store::CompletionCache<AnyLanguageModel>(make(), std::move(options)));
  };
}

}  // namespace icpi::program
