// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "oracle_server.hpp"
#include "service_answers.hpp"
#include "service_rules.hpp"

namespace icpi_test {

/// A known service with an oracle of the chain as its model: takes, refuses, answers and counts as the real one does,
/// and keeps count of what it counted. Thread-safe.
class ServiceServer {
 public:
  /// Told of every question as it came, one at a time, and free to change what goes back. May be nullptr.
  using Witness = std::function<void(const nlohmann::json& asked, HttpReply& reply)>;

  explicit ServiceServer(std::string service, Witness witness = nullptr)
      : service_(std::move(service)),
        rules_(rules_of(service_)),
        witness_(std::move(witness)),
        server_([this](const HttpRequest& request) { return answer(request); }) {}

  [[nodiscard]] std::string url() const { return server_.url(); }
  /// One line for each request that was refused.
  [[nodiscard]] std::string refusals() const {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }
  /// The sum of what it said that questions took.
  [[nodiscard]] icpi::Usage usage() const {
    const std::lock_guard lock(mutex_);
    return usage_;
  }

 private:
  HttpReply answer(const HttpRequest& request) {
    if (request.method == "GET") return oracle_(request);
    const nlohmann::json asked = nlohmann::json::parse(request.body, nullptr, false);
    HttpReply reply = asked.is_object() ? reply_to(request, asked) : refusal_of(service_, "body");
    const std::lock_guard lock(mutex_);
    if (witness_) witness_(asked, reply);
    return reply;
  }

  HttpReply reply_to(const HttpRequest& request, const nlohmann::json& asked) {
    std::string refused;
    if (request.path != rules_.path) refused = "path " + request.path;
    if (!rules_.admits(request.headers)) refused = "key, which is missing";
    if (refused.empty()) refused = rules_.refused_field(asked);
    const std::lock_guard lock(mutex_);
    if (!refused.empty()) {
      refusals_ += refused + "\n";
      return refusal_of(service_, refused);
    }
    const auto prompt = prompt_of(asked);
    const char* seed = asked.contains("random_seed") ? "random_seed" : "seed";
    const icpi::Completion completion =
        oracle_.complete(prompt, asked.value("stop", std::vector<std::string>{}), asked.value(seed, std::uint64_t{0}));
    const icpi::Usage usage = counted_by(service_, completion.usage);
    usage_.prompt_tokens += usage.prompt_tokens;
    usage_.cached_tokens += usage.cached_tokens;
    usage_.completion_tokens += usage.completion_tokens;
    return answer_of(service_, asked, completion.text, usage);
  }

  static std::string text_of(const nlohmann::json& content) {
    if (content.is_string()) return content.get<std::string>();
    std::string whole;
    for (const nlohmann::json& part : content) whole += part.at("text").get<std::string>();
    return whole;
  }

  /// The text that the turns of a chat are made of: a reply ends an example.
  static std::string prompt_of(const nlohmann::json& asked) {
    if (!asked.contains("messages")) return asked.at("prompt").get<std::string>();
    std::string whole;
    for (const nlohmann::json& message : asked.at("messages")) {
      const std::string role = message.at("role");
      if (role == "system") continue;
      whole += text_of(message.at("content"));
      if (!whole.ends_with('\n')) whole += '\n';
      if (role == "assistant") whole += '\n';
    }
    return whole;
  }

  const std::string service_;
  const ServiceRules rules_;
  const Witness witness_;
  ChainOracle oracle_;
  mutable std::mutex mutex_;
  std::string refusals_;
  icpi::Usage usage_;
  ScriptedServer server_;
};

}  // namespace icpi_test
