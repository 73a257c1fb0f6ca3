// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/http is compiled: link icpi::http, which brings icpi::icpi, instead of icpi::header_only"
#endif

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace icpi::http {

/// A header or a part of the query that goes with every request. At most one of `value`, `env` and `file` is set; what
/// comes from `env` or `file` is a secret, which errors and texts do not repeat.
struct RequestSetting {
  std::string name;   ///< of the header, or of the part
  std::string value;  ///< as it is; not for keys, which belong into the environment or a file
  std::string env;    ///< name of the environment variable that holds the value
  std::string file;   ///< whose first line is the value
};

/// Changes what is sent, for services that want it otherwise than OpenAI's. Fields are the members of the body, by the
/// names that icpi writes.
struct RequestShape {
  std::vector<std::string> omit;                            ///< fields that are not sent
  std::vector<std::pair<std::string, std::string>> rename;  ///< fields that are sent by another name: old, new
  std::string extra;  ///< a JSON object whose members are added; they replace fields of the same name. Empty: nothing
  std::vector<RequestSetting> headers;  ///< further headers
  std::vector<RequestSetting> query;    ///< what the URLs end in: "?name=value&..."
  /// The header that holds the key as it is; empty: "Authorization: Bearer KEY", of the dialect anthropic "x-api-key".
  std::string api_key_header;
  std::string thinking_off;  ///< a JSON object whose members switch thinking off in the dialect chat; empty: none do

  double lowest_temperature = 0;                                         ///< what is asked below is sent as this
  double highest_temperature = std::numeric_limits<double>::infinity();  ///< and above, as this
  std::size_t most_stops = std::numeric_limits<std::size_t>::max();      ///< more stop strings are not sent
  bool blank_stops = true;                                               ///< false: stop strings of blanks are not sent

  /// Where a server refuses a field by name, go on without it, or by its other name (max_tokens,
  /// max_completion_tokens), as long as that does not change what was asked. Told once, remembered in `learned`.
  bool adapt = true;
};

class LearnedRequest;

/// What servers refused so far, to be shared by the models of one run. Thread-safe.
[[nodiscard]] std::shared_ptr<LearnedRequest> new_learned_request();

}  // namespace icpi::http
