// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/scripted_server.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/models/induction.hpp"

namespace icpi::program {

/// A server that answers as the embedded model does, and notes what it was asked.
class ModelServer {
 public:
  [[nodiscard]] std::string url() const { return server_.url(); }
  /// Requests that came, and how many of them differ.
  [[nodiscard]] std::size_t asked() const {
    const Locked lock(mutex_);
    return asked_;
  }
  [[nodiscard]] std::size_t different() const {
    const Locked lock(mutex_);
    return seen_.size();
  }
  /// From the given number of requests on, none is answered any more; ~0: all are.
  void answer_only(std::size_t requests) { answers_ = requests; }
  void forget() {
    const Locked lock(mutex_);
    asked_ = 0;
    seen_.clear();
  }
  /// Waits until nothing comes any more.
  void settle() const {
    for (std::size_t before = ~std::size_t{0}; before != asked();) {
      before = asked();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

 private:
  using Locked = std::lock_guard<std::mutex>;

  icpi_test::HttpReply answer(const icpi_test::HttpRequest& request) {
    icpi_test::HttpReply reply;
    if (request.body.empty()) {
      reply.body = R"({"object":"list","data":[{"id":"scripted"}]})";
      return reply;
    }
    const Json asked = Json::parse(request.body);
    const Locked lock(mutex_);
    if (++asked_ > answers_) reply.first_byte_delay = std::chrono::hours(1);
    seen_.insert(request.body);
    CompletionRequest put;
    put.query = asked["prompt"].string();
    std::vector<std::string_view> stops;
    for (const Json& stop : asked["stop"].array()) stops.push_back(stop.string());
    put.stop = stops;
    put.sampling.temperature = asked["temperature"].number();
    put.seed = asked["seed"].integer<std::uint64_t>();
    Completion completion;
    model_.complete(std::span(&put, 1), std::span(&completion, 1));
    JsonLine choice;
    choice.add("index", 0).add("text", completion.text);
    choice.add("finish_reason", completion.finish == FinishReason::stop ? "stop" : "length");
    JsonLine usage;
    usage.add("prompt_tokens", completion.usage.prompt_tokens);
    usage.add("completion_tokens", completion.usage.completion_tokens);
    JsonLine body;
    body.add("object", "text_completion").add_raw("choices", "[" + choice.str() + "]").add_raw("usage", usage.str());
    reply.body = body.str();
    return reply;
  }

  mutable std::mutex mutex_;
  InductionModel model_;
  std::size_t asked_ = 0;
  std::atomic<std::size_t> answers_ = ~std::size_t{0};
  std::set<std::string> seen_;
  icpi_test::ScriptedServer server_{[this](const icpi_test::HttpRequest& request) { return answer(request); }};
};

}  // namespace icpi::program
