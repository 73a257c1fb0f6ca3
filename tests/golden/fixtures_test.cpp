// SPDX-License-Identifier: MIT
// A recording that an earlier version wrote answers every request of it.
#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "icpi/models/completion_record.hpp"
#include "icpi/models/recording.hpp"

namespace icpi {
namespace {

const std::string recording = ICPI_GOLDEN_DIR "/fixtures/recording.jsonl";

/// A request as its line in a recording describes it.
class RecordedRequest {
 public:
  explicit RecordedRequest(const nlohmann::json& line)
      : prefix_(line.at("prefix")), query_(line.at("query")), stop_(line.at("stop")) {
    if (line.contains("choices")) choices_ = line.at("choices").get<std::vector<std::string>>();
    request_.sampling.temperature = line.at("temperature").get<double>();
    request_.sampling.top_p = line.at("top_p").get<double>();
    request_.sampling.max_tokens = line.at("max_tokens").get<int>();
    request_.seed = line.at("seed").get<std::uint64_t>();
    request_.sample_index = line.at("sample");
  }

  /// Refers to this object.
  CompletionRequest request() {
    request_.prefix.text = prefix_;
    request_.query = query_;
    stop_views_.assign(stop_.begin(), stop_.end());
    choice_views_.assign(choices_.begin(), choices_.end());
    request_.stop = stop_views_;
    request_.choices = choice_views_;
    return request_;
  }

 private:
  std::string prefix_;
  std::string query_;
  std::vector<std::string> stop_;
  std::vector<std::string> choices_;
  std::vector<std::string_view> stop_views_;
  std::vector<std::string_view> choice_views_;
  CompletionRequest request_;
};

std::vector<nlohmann::json> recorded_lines() {
  std::vector<nlohmann::json> lines;
  std::ifstream file(recording);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(Recording, OfAnEarlierVersionAnswersEachOfItsRequests) {
  const ReplayingModel model(recording);
  const std::vector<nlohmann::json> lines = recorded_lines();
  ASSERT_EQ(lines.size(), 42U);
  EXPECT_EQ(model.size(), lines.size());
  std::size_t with_choices = 0;
  for (const nlohmann::json& line : lines) {
    RecordedRequest recorded(line);
    const CompletionRequest request = recorded.request();
    with_choices += request.choices.empty() ? 0 : 1;
    EXPECT_EQ(fingerprint(request).str(), line.at("request").get<std::string>());
    Completion completion;
    model.complete({&request, 1}, {&completion, 1});
    EXPECT_FALSE(completion.error) << completion.error.message;
    EXPECT_EQ(completion.text, line.at("text").get<std::string>());
    EXPECT_EQ(completion.usage.prompt_tokens, line.at("prompt_tokens").get<std::size_t>());
    EXPECT_EQ(completion.usage.completion_tokens, line.at("completion_tokens").get<std::size_t>());
  }
  EXPECT_GT(with_choices, 0U);
}

TEST(Recording, OfAnEarlierVersionKnowsNoOtherRequest) {
  const ReplayingModel model(recording);
  RecordedRequest recorded(recorded_lines().front());
  CompletionRequest request = recorded.request();
  *request.seed += 1;
  Completion completion;
  model.complete({&request, 1}, {&completion, 1});
  EXPECT_EQ(completion.error.category, ErrorCategory::invalid_request);
}

}  // namespace
}  // namespace icpi
