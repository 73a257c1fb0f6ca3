// SPDX-License-Identifier: MIT
#include "icpi/models/scripted.hpp"

#include <gtest/gtest.h>

#include <array>

#include "icpi/prompt/prompt_options.hpp"
#include "icpi/testing/check_language_model.hpp"

namespace icpi {
namespace {

Completion ask(ScriptedModel& model, const CompletionRequest& request) {
  Completion completion;
  completion.text = "left over";
  model.complete(std::span(&request, 1), std::span(&completion, 1));
  return completion;
}

TEST(ScriptedModel, AnswersFromTheList) {
  ScriptedModel model({{"a", "one\n"}, {"b", "two\n"}});
  CompletionRequest request;
  request.prefix.text = "whatever";
  request.query = "b";
  const std::array<std::string_view, 1> stop{"\n"};
  request.stop = stop;
  const Completion completion = ask(model, request);
  EXPECT_EQ(completion.text, "two");
  EXPECT_EQ(completion.finish, FinishReason::stop);
  EXPECT_EQ(completion.usage.prompt_tokens, estimated_tokens("whatever") + estimated_tokens("b"));
  request.query = "c";
  EXPECT_EQ(ask(model, request).error.category, ErrorCategory::invalid_request);
  EXPECT_EQ(ask(model, request).text, "");
  EXPECT_EQ(model.calls(), 3U);
  EXPECT_EQ(model.batches(), 3U);
}

TEST(ScriptedModel, ItemsFailAlone) {
  ScriptedModel model([](const CompletionRequest& request) {
    if (request.query == "bad") return ScriptedModel::failure(ErrorCategory::rate_limited, "later", 2.5);
    return ScriptedModel::answer("good");
  });
  std::array<CompletionRequest, 3> requests{};
  requests[1].query = "bad";
  std::array<Completion, 3> completions;
  model.complete(requests, completions);
  EXPECT_EQ(completions[0].text, "good");
  EXPECT_EQ(completions[1].error, (CompletionError{ErrorCategory::rate_limited, "later", 2.5}));
  EXPECT_EQ(completions[1].finish, FinishReason::error);
  EXPECT_EQ(completions[2].text, "good");
  EXPECT_EQ(model.batches(), 1U);
  EXPECT_EQ(model.calls(), 3U);
  EXPECT_THROW(model.complete(requests, {}), InvalidArgument);
}

TEST(ScriptedModel, HonoursWhatItCanAndRefusesTheRest) {
  ScriptedModel model([](const CompletionRequest&) { return ScriptedModel::answer("a long answer to everything"); });
  CompletionRequest request;
  request.sampling.max_tokens = 2;
  const Completion cut = ask(model, request);
  EXPECT_EQ(cut.finish, FinishReason::length);
  EXPECT_LE(estimated_tokens(cut.text), 2U);
  EXPECT_EQ(cut.text, std::string_view("a long answer").substr(0, cut.text.size()));
  request.sampling = {.temperature = {}, .top_p = {}, .max_tokens = {}};
  EXPECT_EQ(ask(model, request).text, "a long answer to everything");
  request = {};
  request.want_logprobs = true;
  EXPECT_EQ(ask(model, request).error.category, ErrorCategory::invalid_request);
  request = {};
  const std::array<std::string_view, 1> choices{"a"};
  request.choices = choices;
  EXPECT_EQ(ask(model, request).error.category, ErrorCategory::invalid_request);
  EXPECT_THROW(ScriptedModel(ScriptedModel::Script{}), InvalidArgument);
}

TEST(ScriptedModel, Conforms) {
  ScriptedModel model([](const CompletionRequest& request) {
    const std::string prompt = std::string(request.prefix.text) + std::string(request.query);
    return ScriptedModel::answer("the prompt has " + std::to_string(prompt.size()) + " bytes");
  });
  const auto report = testing::check_language_model(model);
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace icpi
