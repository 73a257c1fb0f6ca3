// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

namespace icpi::http {

/// Seconds to wait, from now: "7", "1.5", "34s", "250ms", "6m0s", "1h2m3.5s", or a date (RFC 3339, or the form of HTTP's
/// headers). nullopt: none of these, or not after now.
[[nodiscard]] std::optional<double> parse_wait(std::string_view text);

/// The same for headers that name when a limit is lifted: there a plain number of more than ten digits counts
/// milliseconds since 1970, one of ten digits seconds.
[[nodiscard]] std::optional<double> parse_reset(std::string_view text);

}  // namespace icpi::http
