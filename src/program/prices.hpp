// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "icpi/models/budget_account.hpp"

namespace icpi::program {

/// What a million tokens of a model cost, from a file of JSON that anybody can write anew when prices change:
///   {"models": {"NAME": {"prompt": 1.25, "cached": 0.125, "cache_write": 1.5625, "completion": 10}}}
/// `prompt` and `completion` must be there. `model` empty: the only one of the file. Throws InvalidArgument, naming file
/// and model, for everything else.
TokenPrices read_prices(const std::string& file, const std::string& model);

}  // namespace icpi::program
