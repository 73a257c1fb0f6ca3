// SPDX-License-Identifier: MIT
#include "icpi/models/stop_on_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/models/any_language_model.hpp"
#include "icpi/models/finished_queue.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionError;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishedCompletion;
using icpi::ModelFailure;
using icpi::StopOnFailure;
using icpi::Ticket;
using testing::HasSubstr;

/// Answers everything but "fail"; what was cancelled ends as cancelled.
class MoodyModel {
 public:
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) completions[i] = answer(requests[i].query);
  }
  [[nodiscard]] std::string identity() const { return "moody"; }
  [[nodiscard]] std::size_t context_limit() const { return 77; }

  void submit(const CompletionRequest& request, Ticket ticket) { done_.push_back({ticket, answer(request.query)}); }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds) {
    std::size_t count = 0;
    for (; count < finished.size() && !done_.empty(); ++count) {
      finished[count] = done_.back();
      done_.pop_back();
    }
    return count;
  }
  void cancel(Ticket ticket) {
    for (auto& each : done_) {
      if (each.ticket == ticket) each.completion.error = {ErrorCategory::cancelled, "cancelled", 0};
    }
  }
  [[nodiscard]] std::size_t concurrency() const { return 4; }

 private:
  static Completion answer(std::string_view query) {
    Completion completion;
    completion.text = query;
    if (query == "fail") completion.error = {ErrorCategory::transport, "the line is dead", 0};
    return completion;
  }
  std::vector<FinishedCompletion> done_;
};

CompletionRequest asking(std::string_view query) {
  CompletionRequest request;
  request.query = query;
  return request;
}

static_assert(icpi::AsynchronousLanguageModel<StopOnFailure<MoodyModel>>);
static_assert(icpi::ScoresContinuations<StopOnFailure<icpi::AnyLanguageModel>>);
static_assert(!icpi::ScoresContinuations<StopOnFailure<MoodyModel>>);

TEST(StopOnFailure, PassesAnswersOnAndThrowsForTheFirstThatIsMissing) {
  StopOnFailure model{MoodyModel()};
  EXPECT_EQ(model.identity(), "moody");
  EXPECT_EQ(model.context_limit(), 77U);
  std::vector<CompletionRequest> requests{asking("a"), asking("b")};
  std::vector<Completion> completions(2);
  model.complete(requests, completions);
  EXPECT_EQ(completions[1].text, "b");
  requests[1] = asking("fail");
  try {
    model.complete(requests, completions);
    FAIL() << "nothing was thrown";
  } catch (const ModelFailure& failure) {
    EXPECT_EQ(failure.error().category, ErrorCategory::transport);
    EXPECT_THAT(failure.what(), HasSubstr("(transport): the line is dead"));
  }
}

TEST(StopOnFailure, WhatWasCalledOffIsNoFailure) {
  StopOnFailure model{MoodyModel()};
  model.submit(asking("a"), 1);
  model.submit(asking("b"), 2);
  model.cancel(1);
  std::vector<FinishedCompletion> finished(4);
  EXPECT_EQ(model.collect(finished, std::chrono::milliseconds(0)), 2U);
  model.submit(asking("fail"), 1);  // the number is free again
  model.submit(asking("a"), 2);
  EXPECT_THROW(static_cast<void>(model.collect(finished, std::chrono::milliseconds(0))), ModelFailure);
  model.cancel(2);
  ASSERT_EQ(model.collect(finished, std::chrono::milliseconds(0)), 2U);  // no ticket is lost
  EXPECT_EQ(finished[0].completion.text, "a");
  EXPECT_EQ(finished[1].completion.error.category, ErrorCategory::transport);
  EXPECT_EQ(model.collect(finished, std::chrono::milliseconds(0)), 0U);
}

TEST(StopOnFailure, AModelThatIsInterruptedCallsNothingOffForTheCaller) {
  class Interrupted : public MoodyModel {
   public:
    std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
      cancel(1);
      return MoodyModel::collect(finished, wait);
    }
  };
  StopOnFailure model{Interrupted()};
  model.submit(asking("a"), 1);
  std::vector<FinishedCompletion> finished(4);
  EXPECT_THROW(static_cast<void>(model.collect(finished, std::chrono::milliseconds(0))), ModelFailure);
}

TEST(FinishedQueue, HandsOverInOrderHoweverItIsEmptied) {
  icpi::detail::FinishedQueue queue;
  icpi::Ticket next = 0;
  icpi::Ticket expected = 0;
  std::vector<FinishedCompletion> places(3);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < round % 6; ++i) queue.push(next++, {});
    const std::size_t count = queue.hand_over(std::span(places).first(static_cast<std::size_t>(round % 4)));
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(places[i].ticket, expected++);
  }
  while (const std::size_t count = queue.hand_over(places))
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(places[i].ticket, expected++);
  EXPECT_EQ(expected, next);
  EXPECT_TRUE(queue.empty());
}

TEST(FinishedQueue, CanBeUsedAfterItWasMovedFrom) {
  icpi::detail::FinishedQueue queue;
  queue.push(1, {});
  queue.push(2, {});
  std::vector<FinishedCompletion> places(1);
  EXPECT_EQ(queue.hand_over(places), 1U);
  icpi::detail::FinishedQueue taken = std::move(queue);
  EXPECT_TRUE(queue.empty());
  queue.push(3, {});
  EXPECT_EQ(queue.hand_over(places), 1U);
  EXPECT_EQ(places[0].ticket, 3U);
  EXPECT_EQ(taken.hand_over(places), 1U);
  EXPECT_EQ(places[0].ticket, 2U);
}

}  // namespace
