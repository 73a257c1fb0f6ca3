// SPDX-License-Identifier: MIT
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "icpi/http/options.hpp"
#include "wire.hpp"

namespace icpi::http {

/// HTTP exchanges on one event loop: curl's multi interface in its socket form, on poll(2). Nothing moves except inside
/// start and run. Connections are kept alive and reused; HTTP/2 is used where a TLS server offers it; redirects are
/// reported, not followed; proxies by curl's environment variables.
/// Thread-safety: one object by one thread at a time.
class Transport final : public Wire {
 public:
  /// `headers`: lines that go with every request, the key among them.
  Transport(const Options& options, const std::vector<std::string>& headers);
  ~Transport() override;

  [[nodiscard]] Clock::time_point now() const override { return Clock::now(); }

  TransferId start(const std::string& url, std::optional<std::string> body) override;
  [[nodiscard]] std::string take_buffer() override;
  void recycle(std::string buffer) override;
  void abort(TransferId id) override;
  void run(Clock::duration wait, std::vector<TransferResult>& ended) override;

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
