// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "icpi/concepts/language_model.hpp"

namespace icpi::http {

/// What an HTTP error means.
struct HttpFailure {
  CompletionError error;
  enum class Next : std::uint8_t {
    fail,
    retry,      ///< counts as an attempt
    come_later  ///< the server did not take the request on
  } next = Next::fail;
};

/// What a server says went wrong.
struct ServerWords {
  std::string message;              ///< for people, as sent; empty: nothing was said
  std::string codes;                ///< its words for programs (types, codes, reasons), lower-case, a blank after each
  long status = 0;                  ///< an HTTP status that stands inside the body; 0: none
  std::vector<std::string> fields;  ///< fields of the request that it names as the cause
  double wait_seconds = 0;          ///< how long to wait, where the body says so; 0: it does not
};

/// Reads an error in whatever JSON it comes: an object, a list, words under "error", "message", "detail" or deeper.
/// Without any such words `message` is the beginning of `body`, without the tags of a page.
[[nodiscard]] ServerWords read_server_words(const nlohmann::json& parsed, const std::string& body);

/// Whether an answer with status 200 is an error instead.
[[nodiscard]] bool is_error(const nlohmann::json& answer);

/// The status that an error within a 200 would have had, by its words for programs; 500, a fault of the server, where
/// they do not tell.
[[nodiscard]] long status_in(const ServerWords& words);

/// Judges a status other than 2xx and 3xx. `secrets` are redacted from what is repeated of the server's words.
[[nodiscard]] HttpFailure judge_status(long status, const ServerWords& words, const std::vector<std::string>& secrets);

/// The same for a body of any kind.
[[nodiscard]] HttpFailure judge_status(long status, const std::string& body, const std::vector<std::string>& secrets);

/// Parses an answer; discarded when it is not JSON, or not all of it. Texts that are no UTF-8 are mended, as models that
/// end within a character write them: the answer came, and was paid for. What lies deeper than answers go in a long
/// body, which would take many times its size in memory, is left out.
[[nodiscard]] nlohmann::json parse_answer(const std::string& body);

/// One line of printable UTF-8 of bounded length.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` without the secrets. Those of fewer than 8 characters are placeholders ("none", "x"), which answers may well
/// hold.
[[nodiscard]] std::string redacted(std::string text, const std::vector<std::string>& secrets);

/// The server's words as they may be shown: redacted, long parts of secrets too, then printable.
[[nodiscard]] std::string shown_words(const std::string& words, const std::vector<std::string>& secrets);

}  // namespace icpi::http
