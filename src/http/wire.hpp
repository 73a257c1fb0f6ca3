// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace icpi::http {

using Clock = std::chrono::steady_clock;

/// At most a million seconds.
inline Clock::duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, 1e6)));
}

inline double in_seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Names a transfer while it runs.
using TransferId = std::size_t;

/// What came of a transfer. Requests with a body that were answered with a status 2xx: id, code, status, limits and body
/// alone.
struct TransferResult {
  TransferId id = 0;
  CURLcode code = CURLE_OK;
  bool connected = false;  ///< a connection was there, so the server may have seen the request
  bool too_large = false;  ///< the answer passed the size limit and was cut off
  long status = 0;         ///< HTTP status; 0: none came
  double retry_after_seconds = 0;
  std::string redirect_url;                                 ///< absolute; empty: none
  std::string server;                                       ///< the header of that name
  std::vector<std::pair<std::string, std::string>> limits;  ///< headers that tell of rate limits, and when
  std::string error;                                        ///< curl's words, when code is not CURLE_OK
  std::string body;
};

/// Whether the server cannot have seen the request: no connection came about.
[[nodiscard]] bool never_reached(const TransferResult& result);

/// What requests are sent by, and the time in which that happens: Transport, or servers and a clock that are made up.
/// Thread-safety: one object by one thread at a time.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;

  [[nodiscard]] virtual Clock::time_point now() const = 0;

  /// Begins to send. `body` nullopt: a GET; its memory is kept for later requests (see take_buffer).
  virtual TransferId start(const std::string& url, std::optional<std::string> body) = 0;

  /// An empty string, with the memory of an earlier request where there is one.
  [[nodiscard]] virtual std::string take_buffer() = 0;

  /// Gives a result's memory back.
  virtual void recycle(std::string buffer) = 0;

  /// Forgets a running transfer and closes its connection.
  virtual void abort(TransferId id) = 0;

  /// Moves what can be moved, waiting up to `wait` until something can be; appends what ended.
  virtual void run(Clock::duration wait, std::vector<TransferResult>& ended) = 0;
};

}  // namespace icpi::http
