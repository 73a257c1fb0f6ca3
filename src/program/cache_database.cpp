// SPDX-License-Identifier: MIT
#include "cache_database.hpp"

#include <string_view>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/postgres/completion_database.hpp"
#include "printable.hpp"

namespace icpi::program {

std::shared_ptr<store::CacheBackend> open_database(const ModelChoice& choice) {
  if (choice.cache_optional)
    throw InvalidArgument("--cache-optional goes with a file: a database that is away is waited for, and ends the run");
  postgres::DatabaseOptions options;
  options.connection = choice.cache;
  options.require = choice.require_cache;
  options.notice = [](std::string_view text) { tell(text); };
  return std::make_shared<postgres::CompletionDatabase>(std::move(options));
}

}  // namespace icpi::program
