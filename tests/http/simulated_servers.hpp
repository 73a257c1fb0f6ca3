// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "http/wire.hpp"
#include "icpi/core/random.hpp"

namespace icpi_test {

/// A server that is made up. It works on `places` requests at a time, in the order in which they come.
struct SimulatedServer {
  enum class State : std::uint8_t { sound, broken, away };  ///< broken: status 500; away: no connection

  std::string url{};  ///< of its route
  std::size_t places = 8;
  double seconds = 0.4;       ///< an answer takes half to one and a half times as long
  double seconds_a_byte = 0;  ///< beyond that, of the request's body
  State state = State::sound;

  std::size_t received = 0;
  std::uint64_t bytes_received = 0;
  double worked = 0;  ///< seconds, over all places
  std::size_t working = 0;
  std::deque<icpi::http::TransferId> waiting{};
};

/// Made-up servers behind the real scheduler, on a clock that moves when nothing else can: an hour takes no time.
/// Every request is answered alike; equal calls take equal times. Thread-safety: none.
class SimulatedServers final : public icpi::http::Wire {
 public:
  using Clock = icpi::http::Clock;
  using TransferId = icpi::http::TransferId;
  using TransferResult = icpi::http::TransferResult;

  /// `client_seconds`: what each answer takes of the client's own time, in which it does nothing else.
  explicit SimulatedServers(std::vector<SimulatedServer> servers, double client_seconds = 0)
      : servers_(std::move(servers)), client_time_(icpi::http::seconds_of(client_seconds)) {
    for (std::size_t i = 0; i < servers_.size(); ++i) by_url_[servers_[i].url] = i;
  }

  std::vector<SimulatedServer>& servers() { return servers_; }
  [[nodiscard]] Clock::time_point now() const override { return now_; }
  /// How much of the time was the client's own.
  [[nodiscard]] Clock::duration client_worked() const { return client_worked_; }

  TransferId start(const std::string& url, std::optional<std::string> body) override {
    const TransferId id = new_transfer();
    Transfer& transfer = transfers_[id];
    transfer.server = by_url_.at(url);
    transfer.bytes = body->size();
    buffers_.push_back(std::move(*body));
    SimulatedServer& server = servers_[transfer.server];
    ++server.received;
    server.bytes_received += transfer.bytes;
    if (server.state == SimulatedServer::State::away) {
      end_at(id, now_ + std::chrono::milliseconds(1));
    } else if (server.working < server.places) {
      begin(id);
    } else {
      server.waiting.push_back(id);
    }
    return id;
  }

  std::string take_buffer() override {
    if (buffers_.empty()) return {};
    std::string buffer = std::move(buffers_.back());
    buffers_.pop_back();
    buffer.clear();
    return buffer;
  }
  void recycle(std::string buffer) override { buffers_.push_back(std::move(buffer)); }

  void abort(TransferId id) override {
    leave(id);
    free_.push_back(id);
  }

  void run(Clock::duration wait, std::vector<TransferResult>& ended) override {
    const auto until = now_ + wait;
    drop_aborted();
    if (ends_.empty() || ends_.top().time > until) {
      now_ = until;
      return;
    }
    now_ = std::max(now_, ends_.top().time);
    for (; !ends_.empty() && ends_.top().time <= now_; drop_aborted()) {
      const TransferId id = ends_.top().id;
      ends_.pop();
      ended.push_back(result_of(id));
      leave(id);
      free_.push_back(id);
    }
    // The client is not at its wire while it reads what came.
    const auto worked = client_time_ * static_cast<Clock::rep>(ended.size());
    now_ += worked;
    client_worked_ += worked;
  }

 private:
  struct Transfer {
    std::size_t server = 0;
    std::size_t bytes = 0;
    std::uint64_t number = 0;  ///< of all transfers; another one: it is over
    bool working = false;
    double seconds = 0;
  };
  struct End {
    Clock::time_point time;
    std::uint64_t number = 0;
    TransferId id = 0;
    bool operator<(const End& other) const {
      return time != other.time ? time > other.time : number > other.number;  // the earliest is on top
    }
  };

  TransferId new_transfer() {
    if (free_.empty()) {
      free_.push_back(transfers_.size());
      transfers_.emplace_back();
    }
    const TransferId id = free_.back();
    free_.pop_back();
    transfers_[id] = {};
    transfers_[id].number = ++started_;
    return id;
  }

  void begin(TransferId id) {
    Transfer& transfer = transfers_[id];
    SimulatedServer& server = servers_[transfer.server];
    ++server.working;
    transfer.working = true;
    const double spread = 0.5 + icpi::RandomStream(icpi::RandomKey(0x51).child(transfer.number)).uniform();
    transfer.seconds = server.seconds * spread + server.seconds_a_byte * static_cast<double>(transfer.bytes);
    end_at(id, now_ + icpi::http::seconds_of(transfer.seconds));
  }

  void end_at(TransferId id, Clock::time_point time) { ends_.push({time, transfers_[id].number, id}); }

  /// Its place is the next one's.
  void leave(TransferId id) {
    Transfer& transfer = transfers_[id];
    SimulatedServer& server = servers_[transfer.server];
    transfer.number = 0;
    std::erase(server.waiting, id);
    if (!transfer.working) return;
    --server.working;
    server.worked += transfer.seconds;
    if (server.waiting.empty()) return;
    const TransferId next = server.waiting.front();
    server.waiting.pop_front();
    begin(next);
  }

  void drop_aborted() {
    while (!ends_.empty() && transfers_[ends_.top().id].number != ends_.top().number) ends_.pop();
  }

  TransferResult result_of(TransferId id) {
    TransferResult result;
    result.id = id;
    switch (servers_[transfers_[id].server].state) {
      case SimulatedServer::State::away:
        result.code = CURLE_COULDNT_CONNECT;
        result.error = "nobody is there";
        return result;
      case SimulatedServer::State::broken:
        result.connected = true;
        result.status = 500;
        result.body = R"({"error":{"message":"it broke"}})";
        return result;
      case SimulatedServer::State::sound: break;
    }
    result.connected = true;
    result.status = 200;
    result.body = take_buffer();
    result.body +=
        R"({"choices":[{"index":0,"text":" answer","finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":2}})";
    return result;
  }

  std::vector<SimulatedServer> servers_;
  Clock::duration client_time_;
  Clock::duration client_worked_{};
  Clock::time_point now_{std::chrono::hours(1)};
  std::map<std::string, std::size_t> by_url_;
  std::vector<Transfer> transfers_;
  std::vector<TransferId> free_;
  std::vector<std::string> buffers_;
  std::priority_queue<End> ends_;
  std::uint64_t started_ = 0;
};

}  // namespace icpi_test
