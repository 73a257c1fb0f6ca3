// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <span>
#include <string>

#include <fmt/format.h>

#include "icpi/store/completion_cache.hpp"

namespace icpi_test {

/// A folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "icpi-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string answer_to(const icpi::CompletionRequest& request) {
  return fmt::format("answer to {}{} with seed {}", request.prefix.text, request.query, request.seed.value_or(0));
}

/// Answers with a text made of the question; refuses questions that contain "fail".
class CountingModel {
 public:
  explicit CountingModel(int* asked) : asked_(asked) {}
  void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) completions[i] = answer(requests[i]);
  }
  [[nodiscard]] std::string identity() const { return "counting"; }

 protected:
  icpi::Completion answer(const icpi::CompletionRequest& request) {
    ++*asked_;
    icpi::Completion completion;
    if (request.query.find("fail") != std::string_view::npos) {
      completion.error = {icpi::ErrorCategory::transport, "down", 0};
      return completion;
    }
    completion.text = answer_to(request);
    completion.finish = icpi::FinishReason::stop;
    completion.usage = {request.query.size(), 1, 2};
    if (request.want_logprobs) completion.tokens = {{"answer", -0.25}, {" to", -1.5}};
    return completion;
  }

 private:
  int* asked_;
};

/// The same, answering submissions one by one, last first.
class AsynchronousCountingModel : public CountingModel {
 public:
  using CountingModel::CountingModel;
  void submit(const icpi::CompletionRequest& request, icpi::Ticket ticket) { waiting_.push_back({ticket, request}); }
  std::size_t collect(std::span<icpi::FinishedCompletion> finished, std::chrono::milliseconds) {
    if (waiting_.empty() || finished.empty()) return 0;
    const auto [ticket, request] = waiting_.back();
    waiting_.pop_back();
    finished[0] = {ticket, answer(request)};
    return 1;
  }
  void cancel(icpi::Ticket ticket) {
    for (auto& [number, request] : waiting_) {
      if (number == ticket) request.query = "fail: cancelled";
    }
  }
  [[nodiscard]] std::size_t concurrency() const { return 4; }

 private:
  std::deque<std::pair<icpi::Ticket, icpi::CompletionRequest>> waiting_;
};

}  // namespace icpi_test
