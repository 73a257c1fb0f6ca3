// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/http is compiled: link icpi::http, which brings icpi::icpi, instead of icpi::header_only"
#endif

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
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

/// How a service is told what it may keep of a prompt, in the dialect chat. Prefixes without an identity are not kept.
enum class PromptCache : std::uint8_t {
  none,  ///< it finds out by itself, or does not
  key,   ///< `prompt_cache_key`, also of responses: prefixes of one identity go by the same, wherever they are kept
  breakpoints  ///< "explicit": the key, and the ends of prefixes are marked; nothing else is kept
};

constexpr std::string_view name(PromptCache cache) noexcept {
  switch (cache) {
    case PromptCache::none: return "none";
    case PromptCache::key: return "key";
    case PromptCache::breakpoints: return "explicit";
  }
  return "unknown";
}

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

  PromptCache prompt_cache = PromptCache::none;  ///< how the service is told what it may keep

  /// Where a server refuses a field by name, go on without it, or by its other name (max_tokens,
  /// max_completion_tokens), as long as that does not change what was asked. Told once, remembered in `learned`.
  bool adapt = true;
};

class LearnedRequest;

/// What servers refused so far, to be shared by the models of one run. Thread-safe.
[[nodiscard]] std::shared_ptr<LearnedRequest> new_learned_request();

}  // namespace icpi::http
