// SPDX-License-Identifier: MIT
// The law: environment, formatter, buffer and callbacks are called only on the thread that is inside act, observe or
// train; and so is the model.
#include <gtest/gtest.h>

#include <concepts>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/logged_world.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

using testing::CallLog;
using testing::LoggedBuffer;
using testing::LoggedSubmittedModel;
using testing::LoggedText;
using testing::LoggedWorld;
using testing::ShuffledLanguageModel;

/// Batches only.
class LoggedBatchModel {
 public:
  explicit LoggedBatchModel(std::shared_ptr<CallLog> log) : log_(std::move(log)), model_({.threads = 3}) {}
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    log_->note("complete");
    model_.complete(requests, completions);
  }

 private:
  std::shared_ptr<CallLog> log_;
  InductionModel model_;
};

using AsynchronousModel = LoggedSubmittedModel<ShuffledLanguageModel<InductionModel>>;

template <class LM>
LM make_model(const std::shared_ptr<CallLog>& log) {
  if constexpr (std::same_as<LM, LoggedBatchModel>)
    return LM(log);
  else
    return LM(log, ShuffledLanguageModel<InductionModel>(InductionModel(), 5, 1));
}

/// Runs `work` on a thread of its own, and says whether all that was called meanwhile was called there; something was.
template <class Work>
::testing::AssertionResult only_there(CallLog& log, Work&& work) {
  log.clear();
  std::thread::id there;
  std::thread thread([&] {
    there = std::this_thread::get_id();
    work();
  });
  thread.join();
  if (log.threads() == std::set{there}) return ::testing::AssertionSuccess();
  auto result = ::testing::AssertionFailure() << log.threads().size() << " threads called:";
  for (const auto& [member, count] : log.counts()) result << " " << member << " (" << count << ")";
  return result;
}

template <class LM>
class ThreadLaw : public ::testing::Test {};
using Models = ::testing::Types<LoggedBatchModel, AsynchronousModel>;
class ModelNames {
 public:
  template <class LM>
  static std::string GetName(int) {
    return AsynchronousLanguageModel<LM> ? "asynchronous" : "batch";
  }
};
TYPED_TEST_SUITE(ThreadLaw, Models, ModelNames);

/// Everything that an agent does, call by call, each on another thread.
template <class LM>
void obey(PolicyIterationOptions options) {
  const auto log = std::make_shared<CallLog>();
  LoggedWorld world(log);
  auto model = make_model<LM>(log);
  options.seed = 2;
  options.prompts.context_tokens = 600;
  options.decisions.explorations = {icpi::WarmUp{.successes = 1, .abrupt = true}};
  if (auto* values = options.decisions.values.get_if<MeanOfRollouts>()) values->options.rollouts_per_action = 3;
  options.queries.threads = 4;
  using Agent = PolicyIteration<LoggedWorld, LM, LoggedText, LoggedBuffer>;
  std::unique_ptr<Agent> agent;
  EXPECT_TRUE(only_there(*log, [&] {
    agent = std::make_unique<Agent>(world, model, options);
    agent->callbacks().on_decision = [&](const Decision&) { log->note("on_decision"); };
    agent->callbacks().on_step = [&](const auto&) { log->note("on_step"); };
    agent->callbacks().on_episode = [&](const auto&) { log->note("on_episode"); };
    agent->model().observe_queries([&](const QueryRecord&) { log->note("query observer"); });
  }));
  EXPECT_TRUE(only_there(*log, [&] { agent->train(world, {.episodes = 6}); }));
  for (const auto* member : {"reset", "step", "on_decision", "on_step", "on_episode", "query observer"})
    EXPECT_GT(log->count(member), 0U) << member;
  std::size_t asked = 0;
  for (int episode = 0; episode < 2; ++episode) {
    const int start = world.reset(0);
    agent->begin_episode(start);
    for (bool runs = true; runs;) {
      int action = 0;
      Step<int> step;
      EXPECT_TRUE(only_there(*log, [&] { action = agent->act(start); }));
      asked += log->count({"complete", "submit"});
      step = world.step(action);
      EXPECT_TRUE(only_there(*log, [&] { agent->observe(step); }));
      runs = !step.terminated && !step.truncated;
    }
  }
  EXPECT_GT(asked, 10U);
  EXPECT_GT(agent->costs().lm_calls, 200U);
}

TYPED_TEST(ThreadLaw, HoldsWithPromptsOfEveryQuerysOwn) { obey<TypeParam>(paper_options()); }

TYPED_TEST(ThreadLaw, HoldsWithStablePromptsOnlineAndPlanning) {
  PolicyIterationOptions options;
  options.prompts.trajectories = TrajectoriesAboveReturn{0.5};
  obey<TypeParam>(options);
}

TEST(ThreadLawCheck, SeesACallFromElsewhere) {
  CallLog log;
  EXPECT_FALSE(only_there(log, [&] { std::thread([&] { log.note("elsewhere"); }).join(); }));
  EXPECT_FALSE(only_there(log, [] {}));
}

}  // namespace
}  // namespace icpi
