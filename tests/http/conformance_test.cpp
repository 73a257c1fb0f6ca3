// SPDX-License-Identifier: MIT
// The laws of language models, and the rest of icpi on top of this one.
#include <gtest/gtest.h>

#include "helpers.hpp"
#include "icpi/testing/check_language_model.hpp"

namespace {

using icpi_test::ScriptedServer;

TEST(Conformance, KeepsTheLawsOfLanguageModels) {
  ScriptedServer server([](const icpi_test::HttpRequest& request) {
    const auto sent = nlohmann::json::parse(request.body);
    icpi_test::HttpReply reply;
    const std::string text =
        icpi_test::echo_text(sent.at("prompt").get<std::string>() + std::to_string(sent.value("seed", 0U))).substr(1);
    nlohmann::json choice{{"index", 0}, {"text", text}, {"finish_reason", "stop"}};
    if (sent.contains("logprobs")) choice["logprobs"] = {{"tokens", {text}}, {"token_logprobs", {-0.5}}};
    const int wanted = sent.at("max_tokens").get<int>();
    reply.body = nlohmann::json{{"choices", {choice}},
                                {"usage", {{"prompt_tokens", 5}, {"completion_tokens", std::min(wanted, 1)}}}}
                     .dump();
    return reply;
  });
  icpi::http::HttpLanguageModel model(icpi_test::quick_options({server.url()}));
  const auto report = icpi::testing::check_language_model(model);
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
