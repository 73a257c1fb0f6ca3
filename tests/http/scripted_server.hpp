// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace icpi_test {

/// What arrived.
struct HttpRequest {
  std::string method;
  std::string path;
  std::string headers;  ///< raw, lower-cased
  std::string body;
};

/// What goes back, and how badly.
struct HttpReply {
  enum class Manner {
    whole,
    chunked,               ///< Transfer-Encoding: chunked, in three pieces
    cut,                   ///< half of the body, then the connection is closed
    cut_chunk,             ///< a chunked body that never ends properly
    reset_before_headers,  ///< RST instead of an answer
    reset_after_headers,
    close_before_headers,  ///< orderly end of the connection without a byte
    garbage,               ///< bytes that are not HTTP
    raw,                   ///< the body is all that is sent, head included; then the connection is closed
    endless                ///< the same, but its end comes again and again until the client has enough
  };
  int status = 200;
  std::string body;
  std::string headers;  ///< more header lines, each ending in \r\n
  Manner manner = Manner::whole;
  std::chrono::milliseconds first_byte_delay{0};
  std::chrono::milliseconds body_delay{0};  ///< between the two halves of the body, or between its pieces
  std::size_t piece = 0;                    ///< bytes of a raw body that are sent at once; 0: all
};

/// An HTTP/1.1 server on 127.0.0.1, one thread per connection, that answers as a function says and misbehaves exactly
/// as told. The function runs on the connections' threads.
class ScriptedServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  explicit ScriptedServer(Handler handler, std::uint16_t port = 0) : handler_(std::move(handler)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 256) != 0) throw std::runtime_error("cannot listen");
    getsockname(listener_, generic, &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_connections(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : open_) shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  [[nodiscard]] int requests() const { return requests_; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int most_at_once() const { return most_at_once_; }

 private:
  void accept_connections() {
    while (!stopping_) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      const int on = 1;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(connection);
      threads_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int connection) {
    std::string buffer;
    HttpRequest request;
    while (read_request(connection, buffer, request)) {
      ++requests_;
      const int now = ++at_once_;
      for (int most = most_at_once_; most < now && !most_at_once_.compare_exchange_weak(most, now);) continue;
      const HttpReply reply = handler_(request);
      pause(reply.first_byte_delay);
      --at_once_;
      if (!send_reply(connection, reply)) break;
    }
    const std::lock_guard lock(mutex_);
    open_.remove(connection);
    close(connection);
  }

  void pause(std::chrono::milliseconds time) const {
    for (auto slept = std::chrono::milliseconds(0); slept < time && !stopping_; slept += std::chrono::milliseconds(5)) {
      std::this_thread::sleep_for(std::min(std::chrono::milliseconds(5), time - slept));
    }
  }

  static bool read_more(int connection, std::string& buffer) {
    char bytes[16384];
    const ssize_t count = recv(connection, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  static bool read_request(int connection, std::string& buffer, HttpRequest& request) {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(connection, buffer)) return false;
      if (buffer.front() < 'A' || buffer.front() > 'Z') return false;  // TLS, for instance
    }
    request.headers = buffer.substr(0, end + 2);
    const std::size_t first = request.headers.find(' ');
    const std::size_t second = request.headers.find(' ', first + 1);
    request.method = request.headers.substr(0, first);
    request.path = request.headers.substr(first + 1, second - first - 1);
    for (char& c : request.headers) {
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    std::size_t length = 0;
    const std::size_t header = request.headers.find("\r\ncontent-length:");
    if (header != std::string::npos) length = std::strtoul(request.headers.c_str() + header + 17, nullptr, 10);
    while (buffer.size() < end + 4 + length) {
      if (!read_more(connection, buffer)) return false;
    }
    request.body = buffer.substr(end + 4, length);
    buffer.erase(0, end + 4 + length);
    return true;
  }

  static bool send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  static bool reset(int connection) {
    const linger now{1, 0};
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
  }

  static std::string chunk(std::string_view bytes) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + std::string(bytes) + "\r\n";
  }

  bool send_raw(int connection, const HttpReply& reply) const {
    const std::size_t piece = reply.piece == 0 ? reply.body.size() : reply.piece;
    const std::string_view body = reply.body;
    for (std::size_t sent = 0; sent < body.size(); sent += piece) {
      if (!send_all(connection, body.substr(sent, piece))) return false;
      pause(reply.body_delay);
    }
    const std::string_view end = body.substr(body.size() - std::min<std::size_t>(body.size(), 4096));
    while (reply.manner == HttpReply::Manner::endless && !stopping_ && send_all(connection, end)) continue;
    return false;
  }

  bool send_reply(int connection, const HttpReply& reply) const {
    using Manner = HttpReply::Manner;
    if (reply.manner == Manner::raw || reply.manner == Manner::endless) return send_raw(connection, reply);
    if (reply.manner == Manner::reset_before_headers) return reset(connection);
    if (reply.manner == Manner::close_before_headers) return false;
    if (reply.manner == Manner::garbage) {
      send_all(connection, "SSH-2.0-OpenSSH_9.2\r\n");
      return false;
    }
    const bool chunked = reply.manner == Manner::chunked || reply.manner == Manner::cut_chunk;
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " scripted\r\n" + reply.headers;
    head += "Content-Type: application/json\r\n";
    head += chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                    : "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
    const std::string_view body = reply.body;
    const std::size_t half = body.size() / 2;
    if (reply.manner == Manner::whole && reply.body_delay.count() == 0) return send_all(connection, head + reply.body);
    if (!send_all(connection, head)) return false;
    if (reply.manner == Manner::reset_after_headers) return reset(connection);
    if (chunked) {
      send_all(connection, chunk(body.substr(0, half)));
      if (reply.manner == Manner::cut_chunk) return false;
      return send_all(connection, chunk(body.substr(half))) && send_all(connection, "0\r\n\r\n");
    }
    if (!send_all(connection, body.substr(0, half)) || reply.manner == Manner::cut) return false;
    pause(reply.body_delay);
    return send_all(connection, body.substr(half));
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> requests_{0};
  std::atomic<int> connections_{0};
  std::atomic<int> at_once_{0};
  std::atomic<int> most_at_once_{0};
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace icpi_test
