// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace icpi::http {

/// Seconds since 1970 of a date as HTTP's headers have it; 0: it is none.
[[nodiscard]] double parse_date(const std::string& text);

/// Seconds to wait, from now: "7", "1.5", "34s", "250ms", "6m0s", "1h2m3.5s", or a date (RFC 3339, or the form of HTTP's
/// headers). nullopt: none of these, or not after now. `told_now`: what time it was where the text is from, in seconds
/// since 1970, so that a clock of ours that is wrong does not matter; 0: unknown, our clock counts.
[[nodiscard]] std::optional<double> parse_wait(std::string_view text, double told_now = 0);

/// The same for headers that name when a limit is lifted: there a plain number of more than ten digits counts
/// milliseconds since 1970, one of ten digits seconds.
[[nodiscard]] std::optional<double> parse_reset(std::string_view text, double told_now = 0);

}  // namespace icpi::http
