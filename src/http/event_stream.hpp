// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace icpi::http {

/// Whether a body is a stream of events although none was asked for: its first line that says something is "data:",
/// "event:" or a comment.
[[nodiscard]] bool is_event_stream(std::string_view body);

/// The pieces of a streamed answer as one answer, as if it had not been streamed. Discarded when the stream does not
/// come to its end.
[[nodiscard]] nlohmann::json join_event_stream(std::string_view body);

}  // namespace icpi::http
