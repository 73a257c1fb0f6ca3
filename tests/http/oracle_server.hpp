// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/oracle.hpp"
#include "scripted_server.hpp"

namespace icpi_test {

/// Answers completion and chat requests as a perfect world model of the chain does: what comes back depends on the
/// request alone. Thread-safe.
class ChainOracle {
 public:
  icpi::Completion complete(std::string_view prompt, const std::vector<std::string>& stops, std::uint64_t seed) {
    const std::vector<std::string_view> stop(stops.begin(), stops.end());
    icpi::CompletionRequest question;
    question.query = prompt;
    question.stop = stop;
    question.seed = seed;
    icpi::Completion completion;
    const std::lock_guard lock(mutex_);
    oracle_.complete({&question, 1}, {&completion, 1});
    return completion;
  }

  HttpReply operator()(const HttpRequest& request) {
    HttpReply reply;
    if (request.method == "GET") {
      reply.status = request.path == "/v1/models" ? 200 : 404;
      reply.body = R"({"object":"list","data":[{"id":"chain-oracle","object":"model"}]})";
      return reply;
    }
    const nlohmann::json asked = nlohmann::json::parse(request.body);
    const bool chat = asked.contains("messages");
    const auto prompt = (chat ? asked.at("messages").back().at("content") : asked.at("prompt")).get<std::string>();
    const icpi::Completion completion =
        complete(prompt, asked.value("stop", std::vector<std::string>{"\n"}), asked.value("seed", std::uint64_t{0}));
    nlohmann::json choice{{"index", 0}, {"finish_reason", "stop"}, {"logprobs", nullptr}};
    if (chat) {
      choice["message"] = {{"role", "assistant"}, {"content", completion.text}};
    } else {
      choice["text"] = completion.text;
    }
    const nlohmann::json answer{{"object", chat ? "chat.completion" : "text_completion"},
                                {"choices", {choice}},
                                {"usage",
                                 {{"prompt_tokens", completion.usage.prompt_tokens},
                                  {"completion_tokens", completion.usage.completion_tokens}}}};
    reply.body = answer.dump();
    return reply;
  }

 private:
  std::mutex mutex_;
  icpi::OracleModel<icpi::Chain> oracle_;
};

}  // namespace icpi_test
