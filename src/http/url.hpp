// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace icpi::http {

/// Where a server's API begins.
struct BaseUrl {
  std::string origin;  ///< "https://host:port"; the port is written out
  std::string path;    ///< "/v1"; without a slash at the end
  bool secure = false;

  [[nodiscard]] std::string text() const { return origin + path; }
  /// The server without the "/v1" that OpenAI's routes have: where llama-server's own routes begin.
  [[nodiscard]] std::string root() const;
};

/// Reads "https://host/v1", "http://host:port" or "host:port"; without a path it is "/v1". Throws InvalidArgument that
/// repeats no more of the text than scheme and host: what looks like a credential is not printed.
[[nodiscard]] BaseUrl parse_base_url(std::string_view text);

/// Whether `url` has this scheme, host and port.
[[nodiscard]] bool same_origin(const BaseUrl& base, const std::string& url);

}  // namespace icpi::http
