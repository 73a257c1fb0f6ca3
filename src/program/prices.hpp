// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "icpi/models/budget_account.hpp"

namespace icpi::program {

/// Whether anything costs something.
[[nodiscard]] inline bool has_price(const TokenPrices& prices) { return prices.prompt > 0 || prices.completion > 0; }

/// Whether everything costs the same.
[[nodiscard]] inline bool same_prices(const TokenPrices& one, const TokenPrices& other) {
  return one.prompt == other.prompt && one.completion == other.completion && one.cached == other.cached &&
         one.cache_write == other.cache_write;
}

/// What a million tokens of a model cost, from a file of JSON that anybody can write anew when prices change:
///   {"models": {"NAME": {"prompt": 1.25, "cached": 0.125, "cache_write": 1.5625, "completion": 10}}}
/// `prompt` and `completion` must be there. nullopt: the file does not name `model`. Throws InvalidArgument, naming the
/// file, for everything else.
std::optional<TokenPrices> find_prices(const std::string& file, const std::string& model);

/// The same; throws InvalidArgument with the names of the file when it does not name `model`.
TokenPrices read_prices(const std::string& file, const std::string& model);

}  // namespace icpi::program
