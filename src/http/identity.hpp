// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "icpi/http/options.hpp"

namespace icpi::http {

/// Says which answers are interchangeable: Options::identity, else all in the options that changes answers.
[[nodiscard]] std::string make_identity(const Options& options, const std::string& model);

}  // namespace icpi::http
