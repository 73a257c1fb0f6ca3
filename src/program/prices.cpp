// SPDX-License-Identifier: MIT
#include "prices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

constexpr std::array<std::string_view, 4> kinds{"prompt", "cached", "cache_write", "completion"};

double price(const Json& entry, std::string_view kind) {
  const double value = entry[kind].number();
  if (value < 0) throw InvalidArgument(fmt::format("'{}' is negative", kind));
  return value;
}

TokenPrices read_kinds(const Json& entry) {
  for (const std::string& name : entry.names()) {
    if (std::find(kinds.begin(), kinds.end(), name) == kinds.end())
      throw InvalidArgument(fmt::format("'{}' is no kind of price; allowed: {}", name, fmt::join(kinds, ", ")));
  }
  TokenPrices prices{price(entry, "prompt"), price(entry, "completion")};
  if (entry.find("cached") != nullptr) prices.cached = price(entry, "cached");
  if (entry.find("cache_write") != nullptr) prices.cache_write = price(entry, "cache_write");
  return prices;
}

/// Errors name the model.
TokenPrices read_entry(const Json& entry, const std::string& model) {
  try {
    return read_kinds(entry);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("'{}': {}", model, error.what()));
  }
}

/// What `read` makes of the file's models. Errors name the file.
template <class Read>
auto read_models(const std::string& file, Read&& read) {
  try {
    const Json json = Json::parse(read_file(file));
    return read(json["models"]);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("--prices '{}': {}", file, error.what()));
  }
}

}  // namespace

std::optional<TokenPrices> find_prices(const std::string& file, const std::string& model) {
  return read_models(file, [&](const Json& models) {
    const Json* entry = models.find(model);
    return entry == nullptr ? std::nullopt : std::optional(read_entry(*entry, model));
  });
}

TokenPrices read_prices(const std::string& file, const std::string& model) {
  return read_models(file, [&](const Json& models) {
    const Json* entry = models.find(model);
    if (entry != nullptr) return read_entry(*entry, model);
    const std::string known = fmt::format("{}", fmt::join(models.names(), ", "));
    if (model.empty()) throw InvalidArgument(fmt::format("--model-name says whose prices they are; known: {}", known));
    throw InvalidArgument(fmt::format("there are no prices of '{}'; known: {}", model, known));
  });
}

}  // namespace icpi::program
