// SPDX-License-Identifier: MIT
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "icpi/http/options.hpp"

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
  std::vector<std::pair<std::string, std::string>> limits;  ///< headers that tell of rate limits, in small letters
  std::string error;                                        ///< curl's words, when code is not CURLE_OK
  std::string body;
};

/// Whether the server cannot have seen the request: no connection came about.
[[nodiscard]] bool never_reached(const TransferResult& result);

/// HTTP exchanges on one event loop: curl's multi interface in its socket form, on poll(2). Nothing moves except inside
/// start and run. Connections are kept alive and reused; HTTP/2 is used where a TLS server offers it; redirects are
/// reported, not followed; proxies by curl's environment variables.
/// Thread-safety: one object by one thread at a time.
class Transport {
 public:
  /// `headers`: lines that go with every request, the key among them.
  Transport(const Options& options, const std::vector<std::string>& headers);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport();

  /// Begins to send. `body` nullopt: a GET; its memory is kept for later requests (see take_buffer).
  TransferId start(const std::string& url, std::optional<std::string> body);

  /// An empty string, with the memory of an earlier request where there is one.
  [[nodiscard]] std::string take_buffer();

  /// Gives a result's memory back.
  void recycle(std::string buffer);

  /// Forgets a running transfer and closes its connection.
  void abort(TransferId id);

  /// Moves bytes, waiting up to `wait` until something can be moved; appends what ended.
  void run(Clock::duration wait, std::vector<TransferResult>& ended);

  [[nodiscard]] std::size_t running() const noexcept { return running_; }

 private:
  struct Transfer;

  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* socket_data);
  static int on_timer(CURLM* multi, long milliseconds, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* transfer);

  Transfer& new_transfer();
  void fire_timer();
  void read_messages(std::vector<TransferResult>& ended);
  static void describe(Transfer& transfer, TransferResult& result);
  TransferResult finish(Transfer& transfer, CURLcode code);
  void release(Transfer& transfer);

  std::size_t max_response_bytes_;
  std::string ca_file_;
  long connect_timeout_ms_;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::vector<std::unique_ptr<Transfer>> transfers_;  ///< index: TransferId
  std::vector<TransferId> free_;
  std::vector<std::string> buffers_;
  std::vector<pollfd> sockets_;
  std::vector<pollfd> ready_;
  std::optional<Clock::time_point> timer_;
  std::size_t running_ = 0;
};

}  // namespace icpi::http
