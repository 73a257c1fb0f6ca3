// SPDX-License-Identifier: MIT
// Several threads, each with agents of its own, over a common cache file, for ICPI_SOAK_SECONDS (default 120): models
// that fail, talk nonsense and throw, environments that throw, episodes abandoned in the middle, requests cancelled, runs
// broken off and gone on with. Whatever happens, memory and prompts agree, nothing stays in flight, and sound runs, those
// in parts too, are what they are alone.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/stormy_server.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/experiment/logged_agent.hpp"
#include "icpi/experiment/logged_model.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/store/completion_cache.hpp"
#include "support/agent_options.hpp"
#include "support/faulty_model.hpp"

namespace icpi {
namespace {

using Clock = std::chrono::steady_clock;
using Model = store::CompletionCache<testing::FaultyModel<InductionModel>>;

/// What the threads have in common.
struct Common {
  Clock::time_point end;
  std::filesystem::path folder;
  std::atomic<std::uint64_t> decisions{0};
  std::atomic<std::uint64_t> injected{0};  ///< exceptions that agents were met with
  std::atomic<std::uint64_t> requests{0};  ///< over HTTP
  std::atomic<std::uint64_t> cancelled{0};
  std::atomic<std::uint64_t> resumes{0};

  [[nodiscard]] bool over() const { return Clock::now() >= end || ::testing::Test::HasFailure(); }
};

PolicyIterationOptions random_options(RandomStream& stream) {
  PolicyIterationOptions options = icpi::paper_options();
  options.seed = stream.index(1000);
  options.prompts.examples =
      icpi_test::examples_of(stream.index(2) == 0 ? icpi_test::PromptMode::per_query : icpi_test::PromptMode::stable);
  options.prompts.context_tokens = 400 + stream.index(800);
  options.queries.prime_prefixes = stream.index(2) == 0;
  options.queries.deduplicate = stream.index(4) != 0;
  options.queries.threads = 1 + stream.index(2);
  options.decisions.update_within_episode = stream.index(3) == 0;
  options.decisions.explorations = {icpi::WarmUp{.successes = 1}};
  icpi_test::rollouts_of(options).speculate = stream.index(2) == 0;
  icpi_test::rollouts_of(options).step_limit = 3 + static_cast<int>(stream.index(4));
  if (stream.index(4) == 0)
    options.decisions.values = Planning{{.step_limit = icpi_test::rollouts_of(options).step_limit}};
  return options;
}

Model make_model(const Common& common, testing::FaultRates rates, std::size_t concurrency, RandomKey key) {
  store::CacheOptions options;
  options.file = common.folder / "answers.sqlite";
  return {{InductionModel{}, rates, concurrency, key}, options};
}

/// An agent that meets every misfortune.
template <class Env>
void play_disturbed(Common& common, RandomStream& stream) {
  Model model = make_model(common, {.errors = 0.1, .nonsense = 0.1, .exceptions = 0.002}, 1 + stream.index(8),
                           RandomKey(stream.index(1U << 30)));
  Env env;
  const auto options = random_options(stream);
  PolicyIteration<Env, Model> agent(env, model, options);
  std::size_t remembered = 0;
  std::size_t running = 0;
  for (int episode = 0; episode < 8 && !common.over(); ++episode) {
    auto observation = env.reset(stream.index(1000));
    agent.begin_episode(observation);
    running = 0;
    for (bool over = false; !over;) {
      try {
        const auto action = agent.act(observation);
        ++common.decisions;
        if (stream.index(20) == 0) throw std::runtime_error("the environment threw");
        if (stream.index(20) == 0) break;  // the host abandons the episode
        auto step = env.step(action);
        if (stream.index(20) == 0) {
          auto spoiled = step;
          spoiled.reward = std::numeric_limits<double>::quiet_NaN();
          EXPECT_THROW(agent.observe(spoiled), InvalidArgument);
        }
        agent.observe(step);
        ++running;
        over = step.terminated || step.truncated;
        if (over && !options.decisions.update_within_episode) remembered += running;
        if (options.decisions.update_within_episode) ++remembered;
        observation = step.observation;
      } catch (const std::runtime_error&) {
        ++common.injected;
        if (stream.index(2) == 0) break;  // else the same decision again
      }
      ASSERT_EQ(agent.memory().buffer.size(), remembered);
    }
  }
  EXPECT_EQ(model.model().in_flight(), 0U);
  EXPECT_LE(agent.costs().failures + agent.costs().invalid, agent.costs().lm_calls);
}

/// Actions and returns, decision by decision.
using History = std::vector<double>;

template <class Agent>
void keep_history(Agent& agent, History& history) {
  agent.callbacks().on_decision = [&history](const Decision& decision) {
    history.push_back(static_cast<double>(decision.action));
    history.insert(history.end(), decision.returns.values().begin(), decision.returns.values().end());
  };
}

const TrainingLimits sound_limits{.steps = 15};

template <class Env, class LM>
History play_sound(LM& model, const PolicyIterationOptions& options) {
  Env env;
  PolicyIteration<Env, LM> agent(env, model, options);
  History history;
  keep_history(agent, history);
  agent.train(env, sound_limits);
  return history;
}

/// Order, concurrency, cache and the other threads change nothing.
template <class Env>
void compare_sound(Common& common, RandomStream& stream) {
  const auto options = random_options(stream);
  Model model = make_model(common, {}, 1 + stream.index(8), RandomKey(stream.index(1U << 30)));
  InductionModel alone;
  EXPECT_EQ((play_sound<Env>(model, options)), (play_sound<Env>(alone, options)));
  EXPECT_EQ(model.model().in_flight(), 0U);
}

/// One session of a run with a log: from the beginning, or from where the last session ended.
History play_session(const std::filesystem::path& file, const PolicyIterationOptions& options, RandomStream& stream) {
  using Faulty = testing::FaultyModel<InductionModel>;
  const auto log = std::filesystem::exists(file) ? std::make_unique<RecordLog>(file, Durability::process)
                                                 : std::make_unique<RecordLog>(file, "{}", Durability::process);
  RunPart part(*log, 0);
  LoggedModel<Faulty> model(Faulty(InductionModel{}, {.errors = 0.002, .exceptions = 0.002}, 1 + stream.index(8),
                                   RandomKey(stream.index(1U << 30))),
                            part);
  Chain env;
  PolicyIteration<Chain, LoggedModel<Faulty>> agent(env, model, options);
  History history;
  keep_history(agent, history);
  const ChainFormatter formatter;
  LoggedAgent logged(env, agent, part, options.seed,
                     [&](int state) { return std::string(formatter.observation(state)); });
  logged.train(env, sound_limits);
  return history;
}

/// Failures break a run off and its log loses its end, again and again; in the end it is the undisturbed run.
void resume_until_done(Common& common, RandomStream& stream, std::uint64_t thread) {
  const auto file = common.folder / fmt::format("run-{}.jsonl", thread);
  const auto options = random_options(stream);
  InductionModel alone;
  const History undisturbed = play_sound<Chain>(alone, options);
  for (bool done = false; !done && !common.over();) {
    try {
      EXPECT_EQ(play_session(file, options, stream), undisturbed);
      done = true;
    } catch (const std::runtime_error&) {
      ++common.resumes;
      const auto size = std::filesystem::file_size(file);
      constexpr std::uintmax_t first_line = 200;  // stays: a log without its header is refused
      if (size > first_line)
        std::filesystem::resize_file(file, size - std::min<std::uintmax_t>(stream.index(300), size - first_line));
    }
  }
  std::filesystem::remove(file);
}

void soak_agents(Common& common, std::uint64_t thread) {
  for (std::uint64_t round = 0; !common.over(); ++round) {
    RandomStream stream(RandomKey(99).child(thread).child(round));
    switch (stream.index(8)) {
      case 0: compare_sound<Chain>(common, stream); break;
      case 1: compare_sound<MiniCatch>(common, stream); break;
      case 2:
      case 3: play_disturbed<Chain>(common, stream); break;
      case 4:
      case 5: resume_until_done(common, stream, thread); break;
      default: play_disturbed<MiniCatch>(common, stream);
    }
  }
}

/// Requests to a server that fails a fifth of the time; some are cancelled. Each is collected exactly once.
void soak_http(Common& common) {
  icpi_test::StormyServer server;
  auto options = icpi_test::quick_options({server.url()});
  options.retries = {.attempts = 20,
                     .patience = std::chrono::seconds(20),
                     .first_backoff = std::chrono::milliseconds(1),
                     .longest_backoff = std::chrono::milliseconds(10)};
  options.attempt_timeout = std::chrono::milliseconds(500);
  http::HttpLanguageModel model(options);
  std::vector<FinishedCompletion> finished(16);
  for (std::uint64_t round = 0; !common.over(); ++round) {
    RandomStream stream(RandomKey(98).child(round));
    std::vector<std::string> queries;
    for (std::size_t i = 0; i < 100; ++i) queries.push_back(fmt::format("round {} question {}", round, i));
    std::vector<int> collected(queries.size());
    std::size_t left = queries.size();
    for (std::size_t i = 0; i < queries.size(); ++i) {
      CompletionRequest request;
      request.query = queries[i];
      model.submit(request, i);
    }
    while (left > 0) {
      if (stream.index(3) == 0) model.cancel(stream.index(queries.size()));
      const std::size_t got = model.collect(finished, std::chrono::seconds(5));
      ASSERT_GT(got, 0U);
      for (std::size_t i = 0; i < got; ++i) {
        const auto& [ticket, completion] = finished[i];
        EXPECT_EQ(++collected.at(ticket), 1);
        if (completion.error.category == ErrorCategory::cancelled) {
          ++common.cancelled;
        } else {
          EXPECT_EQ(completion.text, icpi_test::echo_text(queries[ticket])) << completion.error.message;
        }
      }
      left -= got;
      common.requests += got;
    }
  }
}

TEST(Soak, AgentsModelsAndServersSurviveEachOther) {
  const char* const wish = std::getenv("ICPI_SOAK_SECONDS");  // NOLINT(concurrency-mt-unsafe): no thread runs yet
  Common common;
  common.end = Clock::now() + std::chrono::seconds(wish != nullptr ? std::atoi(wish) : 120);
  common.folder = std::filesystem::temp_directory_path() / ("icpi-soak-" + std::to_string(getpid()));
  std::filesystem::create_directories(common.folder);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 3; ++i) threads.emplace_back([&common, i] { soak_agents(common, i); });
  threads.emplace_back([&common] { soak_http(common); });
  for (auto& thread : threads) thread.join();
  std::filesystem::remove_all(common.folder);
  EXPECT_GT(common.decisions, 0U);
  EXPECT_GT(common.injected, 0U);
  EXPECT_GT(common.cancelled, 0U);
  EXPECT_GT(common.resumes, 0U);
  fmt::print("{} decisions, {} exceptions, {} runs gone on with, {} HTTP requests, {} of them cancelled\n",
             common.decisions.load(), common.injected.load(), common.resumes.load(), common.requests.load(),
             common.cancelled.load());
}

}  // namespace
}  // namespace icpi
