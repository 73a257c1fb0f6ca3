// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

#if !defined(ICPI_HEADER_ONLY)  // of the compiled library only, as all that reads JSON

namespace icpi {

/// Names everything about a request that can change its answer, in 128 bits: prompt (however it is split into prefix
/// and query), stop strings, sampling and seed, which of these are set, sample index, logprobs wanted, choices. Not the
/// timeout.
struct ICPI_API RequestFingerprint {
  std::uint64_t high = 0;  ///< first half
  std::uint64_t low = 0;   ///< second half

  friend auto operator<=>(const RequestFingerprint&, const RequestFingerprint&) = default;

  /// 32 hexadecimal digits.
  [[nodiscard]] std::string str() const;
};

/// The fingerprint of a request; where a file holds the answers of several models, that of the request to the model of
/// this identity. Equal requests have equal fingerprints; others differ but for a chance of about 2^-64.
/// Recordings, logs of runs and completion caches know answers by it.
[[nodiscard]] ICPI_API RequestFingerprint fingerprint(const CompletionRequest& request, std::string_view model = {});

/// fingerprint() of one request after another, without reading the same prefix with an identity again and again: what came of
/// one is kept by its identity, its length and that of the prompt, in at most 8 KiB.
/// Thread-safety: one object by one thread at a time.
class ICPI_API Fingerprints {
 public:
  /// fingerprint(request, model).
  [[nodiscard]] RequestFingerprint of(const CompletionRequest& request, std::string_view model = {});

 private:
  struct Prefix {
    std::uint64_t identity = 0;  ///< 0: none
    std::size_t length = 0;
    std::size_t prompt_length = 0;
    RequestFingerprint read;  ///< what came of length and prefix
  };

  std::vector<Prefix> kept_;  ///< each where its hash says
};

/// What was answered to a request.
struct RecordedCompletion {
  RequestFingerprint request;  ///< which request it answers
  Completion completion;       ///< the answer
};

namespace detail {

/// Adds an answer without the request to an object of JSON.
ICPI_API void add_completion(JsonLine& line, const Completion& completion);

/// The beginning of an answer's line, which names the request, and the answer.
[[nodiscard]] ICPI_API JsonLine answer_line(const RequestFingerprint& request, const Completion& completion);

/// The opposite of answer_line(), whatever else the line says. Throws InvalidArgument.
[[nodiscard]] ICPI_API RecordedCompletion read_answer(const Json& json);

/// The answer that a line of completion_record() gives to the request whose fingerprint is written `request`. nullopt: the
/// line is damaged, answers another request, or says that there was no answer.
[[nodiscard]] ICPI_API std::optional<Completion> find_answer(std::string_view request, std::string_view line);

/// The opposite of RequestFingerprint::str(). Throws InvalidArgument.
[[nodiscard]] ICPI_API RequestFingerprint read_fingerprint(std::string_view text);

}  // namespace detail

/// An answer to a request that is known by its fingerprint alone, as a line of JSON that ends in a checksum; no newline.
[[nodiscard]] ICPI_API std::string completion_record(const RequestFingerprint& request, const Completion& completion);

/// One request and its answer as a line of JSON that ends in a checksum; no newline. Without `prompt` the texts of the
/// request and the borders of its examples are left out, its fingerprint is enough to replay.
[[nodiscard]] ICPI_API std::string completion_record(const CompletionRequest& request, const Completion& completion,
                                                     bool prompt = true);

/// Reads a line of completion_record(). Throws InvalidArgument when it is damaged or says something else.
[[nodiscard]] ICPI_API RecordedCompletion read_completion_record(std::string_view line);

}  // namespace icpi

#endif
