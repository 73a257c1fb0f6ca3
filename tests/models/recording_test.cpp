// SPDX-License-Identifier: MIT
#include "icpi/models/recording.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>

#include "icpi/core/json.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/any_language_model.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/scripted.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi {
namespace {

class RecordingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    file_ = std::filesystem::temp_directory_path() / (std::string("icpi-recording-") + test->name() + ".jsonl");
    std::filesystem::remove(file_);
  }
  void TearDown() override { std::filesystem::remove(file_); }

  [[nodiscard]] std::string content() const {
    std::ifstream in(file_, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void overwrite(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }

  std::filesystem::path file_;
};

/// Answers and failures with everything that a record must keep.
Completion strange_answer(const CompletionRequest& request) {
  if (request.query.ends_with("fail")) return ScriptedModel::failure(ErrorCategory::timeout, "too\nslow \xFF", 1.25);
  Completion completion = ScriptedModel::answer(std::string("bytes \0\xC3\x28 \n end", 15));
  completion.tokens = {{"bytes", -0.1}, {" \xFE", -std::numeric_limits<double>::infinity()}};
  return completion;
}

TEST_F(RecordingTest, GoesOnBehindTheLastWholeLineAndWritesIntoNothingElse) {
  std::array<Completion, 1> completions;
  const auto record = [&](const char* query) {
    std::array<CompletionRequest, 1> requests;
    requests[0].query = query;
    RecordingModel<ScriptedModel>(ScriptedModel(strange_answer), file_).complete(requests, completions);
  };
  record("one");
  record("two");
  const std::string whole = content();
  for (const std::size_t cut : {std::size_t{1}, std::size_t{9}, whole.size() / 2 + 3, whole.size() - 1}) {
    overwrite(whole.substr(0, whole.size() - cut));
    record("two");
    record("three");
    EXPECT_GE(ReplayingModel(file_).size(), 2U) << cut;
  }
  for (const std::string other : {"words", "words\n", "{\"request\":1}\n", "{\"request\":\"0\"}\n", "\n"}) {
    overwrite(other);
    EXPECT_THROW(record("one"), InvalidArgument) << other;
    EXPECT_EQ(content(), other);
  }
}

TEST_F(RecordingTest, DoesNotGoOnBehindADamagedLine) {
  std::array<CompletionRequest, 3> requests{};
  requests[0].query = "one";
  requests[1].query = "two";
  requests[2].query = "three";
  std::array<Completion, 3> completions;
  RecordingModel<ScriptedModel>(ScriptedModel(strange_answer), file_).complete(requests, completions);
  std::string damaged = content();
  damaged[damaged.find("two")] = 'T';
  overwrite(damaged);
  try {
    prepare_recording(file_);
    ADD_FAILURE() << "nobody could read what would come behind it";
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("line 2: the checksum does not fit"), std::string::npos) << error.what();
  }
  EXPECT_EQ(content(), damaged);
}

TEST_F(RecordingTest, ReplaysEveryAnswerAndFailureExactly) {
  std::array<CompletionRequest, 3> requests{};
  requests[0].query = std::string_view("q\0\xFF", 3);
  requests[1].query = "fail";
  requests[2].query = "other";
  requests[2].want_logprobs = true;
  std::array<Completion, 3> recorded;
  {
    RecordingModel<ScriptedModel> recording(ScriptedModel(strange_answer), file_);
    recording.complete(requests, recorded);
    EXPECT_EQ(recording.identity(), "scripted");
  }
  const ReplayingModel replay(file_);
  EXPECT_EQ(replay.size(), 3U);
  std::array<Completion, 3> replayed;
  replay.complete(requests, replayed);
  EXPECT_EQ(replayed, recorded);
  EXPECT_EQ(replayed[1].error.category, ErrorCategory::timeout);
}

TEST_F(RecordingTest, TellsRequestsApart) {
  CompletionRequest request;
  request.prefix.text = "ab";
  request.query = "c";
  const auto base = fingerprint(request);
  CompletionRequest split = request;
  split.prefix.text = "a";
  split.query = "bc";
  EXPECT_EQ(fingerprint(split), base);
  const std::array<std::string_view, 2> two{"x", ""};
  const std::array<std::string_view, 1> one{"x"};
  std::vector<CompletionRequest> others(9, request);
  others[0].query = "d";
  others[1].stop = one;
  others[2].stop = two;
  others[3].choices = one;
  others[4].sampling.temperature = 0.5;
  others[5].sampling.max_tokens = 5;
  others[6].seed = 1;
  others[7].sample_index = 1;
  others[8].want_logprobs = true;
  for (std::size_t i = 0; i < others.size(); ++i) {
    EXPECT_NE(fingerprint(others[i]), base) << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(fingerprint(others[i]), fingerprint(others[j])) << i << ' ' << j;
  }
  request.timeout = std::chrono::milliseconds(5);
  EXPECT_EQ(fingerprint(request), base);
}

TEST_F(RecordingTest, TakesTheSameFingerprintsOfManyRequestsAsOfOne) {
  RandomStream random(RandomKey(7));
  std::array<std::string, 300> prefixes;  // more than are kept
  Fingerprints fingerprints;
  for (int i = 0; i < 5000; ++i) {
    const std::size_t identity = random.index(prefixes.size());
    std::string& prefix = prefixes[identity];
    if (random.index(3) == 0) prefix += static_cast<char>('a' + random.index(26));
    const std::string query(random.index(3), static_cast<char>('a' + random.index(26)));
    CompletionRequest request;
    request.prefix = {identity, prefix};  // 0: no identity
    request.query = query;
    request.sample_index = static_cast<std::uint32_t>(random.index(2));
    const std::string_view model = random.index(2) == 0 ? "" : "m";
    ASSERT_EQ(fingerprints.of(request, model), fingerprint(request, model)) << i;
  }
}

/// Leaves open what the bits say.
CompletionRequest left_open(CompletionRequest request, unsigned bits) {
  if ((bits & 1U) != 0) request.sampling.temperature.reset();
  if ((bits & 2U) != 0) request.sampling.top_p.reset();
  if ((bits & 4U) != 0) request.sampling.max_tokens.reset();
  if ((bits & 8U) != 0) request.seed.reset();
  return request;
}

TEST_F(RecordingTest, TellsWhatIsLeftOpenFromEveryValue) {
  CompletionRequest request;
  request.query = "abc";
  CompletionRequest zero = request;
  zero.sampling = {.temperature = 0, .top_p = 0, .max_tokens = 0};
  std::set<RequestFingerprint> prints;
  for (unsigned bits = 0; bits < 16; ++bits) prints.insert(fingerprint(left_open(request, bits)));
  for (unsigned bits = 0; bits < 16; ++bits) prints.insert(fingerprint(left_open(zero, bits)));
  EXPECT_EQ(prints.size(), 30U) << "two of each leave all but the seed open, which is the same";
  zero.sampling.temperature = -0.0;
  EXPECT_EQ(fingerprint(zero), fingerprint(left_open(zero, 0)));
}

TEST_F(RecordingTest, WritesNoFieldForWhatIsLeftOpen) {
  CompletionRequest request;
  request.query = "abc";
  for (unsigned bits = 0; bits < 16; ++bits) {
    const Json line = Json::parse(completion_record(left_open(request, bits), {}));
    EXPECT_EQ(line.find("temperature") == nullptr, (bits & 1U) != 0) << bits;
    EXPECT_EQ(line.find("top_p") == nullptr, (bits & 2U) != 0) << bits;
    EXPECT_EQ(line.find("max_tokens") == nullptr, (bits & 4U) != 0) << bits;
    EXPECT_EQ(line.find("seed") == nullptr, (bits & 8U) != 0) << bits;
  }
}

TEST_F(RecordingTest, WritesWhetherLogprobsAreWanted) {
  CompletionRequest request;
  request.query = "abc";
  EXPECT_EQ(Json::parse(completion_record(request, {})).find("want_logprobs"), nullptr);
  request.want_logprobs = true;
  EXPECT_TRUE(Json::parse(completion_record(request, {}))["want_logprobs"].boolean());
}

TEST_F(RecordingTest, UnknownRequestsAreInvalid) {
  { RecordingModel<ScriptedModel> recording(ScriptedModel(strange_answer), file_); }
  ReplayingModel replay(file_);
  const CompletionRequest request;
  Completion completion;
  replay.complete(std::span(&request, 1), std::span(&completion, 1));
  EXPECT_EQ(completion.error.category, ErrorCategory::invalid_request);
  EXPECT_THROW(ReplayingModel("/nowhere/at/all"), InvalidArgument);
  EXPECT_THROW(RecordingModel<ScriptedModel>(ScriptedModel(strange_answer), "/nowhere/at/all"), InvalidArgument);
}

TEST_F(RecordingTest, NoticesDamageAndForgivesACutLastLine) {
  std::array<CompletionRequest, 2> requests{};
  requests[0].query = "one";
  requests[1].query = "two";
  std::array<Completion, 2> completions;
  {
    RecordingModel<ScriptedModel> recording(ScriptedModel(strange_answer), file_);
    recording.complete(requests, completions);
  }
  const std::string whole = content();
  const auto second = whole.find('\n') + 1;
  for (std::size_t length = second; length < whole.size(); ++length) {
    overwrite(whole.substr(0, length));
    EXPECT_EQ(ReplayingModel(file_).size(), 1U) << length;
  }
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    if (whole[at] == '\n' || damaged[at] == '\n') continue;
    overwrite(damaged);
    try {
      (void)ReplayingModel(file_);
      ADD_FAILURE() << "damage at " << at << " was not noticed";
    } catch (const InvalidArgument& error) {
      EXPECT_NE(std::string(error.what()).find(at < second ? "line 1" : "line 2"), std::string::npos) << error.what();
    }
  }
}

TEST_F(RecordingTest, ARunIsReplayedStepByStep) {
  Chain env;
  RecordingModel<AnyLanguageModel> recording(AnyLanguageModel(std::make_unique<InductionModel>()), file_,
                                             {.prompts = false});
  PolicyIteration<Chain, RecordingModel<AnyLanguageModel>> first(env, recording, {.seed = 1});
  first.train(env, {.steps = 40});
  EXPECT_EQ(content().find("\"query\""), std::string::npos);
  ReplayingModel replay(file_);
  // The recorded model counted tokens, the replay cannot: a context that is never full leaves the prompts the same.
  PolicyIteration<Chain, ReplayingModel> second(env, replay, {.seed = 1});
  second.train(env, {.steps = 40});
  EXPECT_GT(first.costs().lm_calls, 0U);
  EXPECT_EQ(first.costs().failures, 0U);
  EXPECT_EQ(second.costs().failures, 0U);
  EXPECT_EQ(first.costs(), second.costs());
}

}  // namespace
}  // namespace icpi
