// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "helpers.hpp"
#include "icpi/core/random.hpp"

namespace icpi_test {

/// Fault number `kind` of a good reply. Late ones are whole all the same.
inline HttpReply spoil(HttpReply reply, std::size_t kind) {
  using namespace std::chrono_literals;
  using Manner = HttpReply::Manner;
  constexpr std::array statuses{408, 409, 429, 500, 502, 503, 504};
  constexpr std::array manners{Manner::cut, Manner::cut_chunk, Manner::reset_before_headers,
                               Manner::reset_after_headers, Manner::close_before_headers};
  kind %= statuses.size() + manners.size() + 4;
  if (kind < statuses.size()) {
    reply.status = statuses[kind];
    reply.body = "{}";
    return reply;
  }
  kind -= statuses.size();
  if (kind < manners.size()) {
    reply.manner = manners[kind];
    return reply;
  }
  switch (kind - manners.size()) {
    case 0: reply.body = "not json"; break;
    case 1: reply.body = R"({"choices":[]})"; break;
    case 2: reply.body = R"({"choices":[{"index":0,"text":"\xFF"}]})"; break;
    default: reply.first_byte_delay = 150ms; break;  // past the attempt's time limit
  }
  return reply;
}

/// Repeats prompts (echo_reply); a fifth of the time it fails.
class StormyServer {
 public:
  StormyServer() : server_([this](const HttpRequest& request) { return answer(request); }) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  /// How often a prompt was answered whole, by its text. An answer counts when it is made, before it is sent: somebody
  /// has to pay for it, whether or not it is still waited for when it comes.
  [[nodiscard]] std::map<std::string, int> whole_answers() {
    const std::lock_guard lock(mutex_);
    return whole_answers_;
  }
  [[nodiscard]] int faults() const { return faults_; }

 private:
  HttpReply answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto draw = icpi::RandomKey(17).child(drawn_++);
    const HttpReply good = echo_reply(request);
    HttpReply reply = good;
    if (icpi::RandomStream(draw).uniform() < 0.2) reply = spoil(good, static_cast<std::size_t>(++faults_));
    const bool whole =
        reply.status == good.status && reply.body == good.body && reply.manner == HttpReply::Manner::whole;
    if (whole) ++whole_answers_[nlohmann::json::parse(request.body).at("prompt").get<std::string>()];
    return reply;
  }

  std::mutex mutex_;
  std::uint64_t drawn_ = 0;
  std::atomic<int> faults_{0};
  std::map<std::string, int> whole_answers_;
  ScriptedServer server_;
};

}  // namespace icpi_test
