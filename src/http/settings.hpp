// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "icpi/http/options.hpp"

namespace icpi::http {

/// Headers, query and key as they are sent.
struct WireSettings {
  std::vector<std::string> headers;  ///< lines
  std::string query;                 ///< "?a=b&c=d"; empty: none
  std::vector<std::string> secrets;  ///< what must not be repeated, the longest first
};

/// Reads keys and values from the environment and from files. Throws InvalidArgument for what is not there or could not
/// be a header; no message repeats a value.
[[nodiscard]] WireSettings read_settings(const Options& options);

}  // namespace icpi::http
