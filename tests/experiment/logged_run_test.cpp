// SPDX-License-Identifier: MIT
// Runs that are broken off anywhere and continued from their log.
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "icpi/baselines/random_agent.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/experiment/logged_agent.hpp"
#include "icpi/experiment/logged_model.hpp"
#include "icpi/experiment/vector_runner.hpp"
#include "icpi/models/any_language_model.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/models/stop_on_failure.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "support/latency_model.hpp"
#include "support/shuffled_language_model.hpp"
#include "support/temporary_folder.hpp"

namespace icpi {
namespace {

using icpi_test::read_bytes;
using icpi_test::write_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// ICPI_LONG_TESTS in the environment runs everything, not a sample.
bool all() { return std::getenv("ICPI_LONG_TESTS") != nullptr; }

/// Counts what the model is really asked, by request.
class CountingModel : public ModelDecorator<AnyLanguageModel> {
 public:
  using Counts = std::map<RequestFingerprint, int>;

  CountingModel(AnyLanguageModel model, std::shared_ptr<Counts> counts)
      : ModelDecorator(std::move(model)), counts_(std::move(counts)) {}

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (const auto& request : requests) ++(*counts_)[fingerprint(request)];
    model_.complete(requests, completions);
  }
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) { model_.score(requests, scores); }
  void submit(const CompletionRequest& request, Ticket ticket) {
    ++(*counts_)[fingerprint(request)];
    model_.submit(request, ticket);
  }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    return model_.collect(finished, wait);
  }
  void cancel(Ticket ticket) { model_.cancel(ticket); }
  std::size_t concurrency() { return model_.concurrency(); }

 private:
  std::shared_ptr<Counts> counts_;
};

/// A small run of chain: two seeds side by side.
struct ChainRun {
  using Icpi = PolicyIteration<Chain, AnyLanguageModel>;

  PolicyIterationOptions options = icpi::paper_options();
  std::size_t steps = 12;
  std::function<AnyLanguageModel()> model = [] { return AnyLanguageModel(std::make_unique<InductionModel>()); };
  std::shared_ptr<CountingModel::Counts> counts = std::make_shared<CountingModel::Counts>();
  std::function<bool()> interrupted{};

  /// Plays what the log leaves to play; the records of everything.
  std::string play(RecordLog& log) const {
    RunPart part(log, 0);
    AnyLanguageModel logged(LoggedModel<CountingModel>(CountingModel(model(), counts), part));
    std::vector<Player<Chain, Icpi>> players;
    for (std::uint64_t seed = 3; seed < 5; ++seed) {
      PolicyIterationOptions own = options;
      own.seed = seed;
      players.push_back({Chain{}, std::make_unique<Icpi>(Chain{}, logged, own), seed});
    }
    RunSettings settings{"chain", "icpi", logged.identity(), steps, 0.8, 1};
    settings.interrupted = interrupted;
    const ChainFormatter formatter;
    VectorRunner<Chain, Icpi> runner(players, settings,
                                     {&part, [&](int state) { return std::string(formatter.observation(state)); }});
    Solver<Chain> solver(Chain{}, 0.8);
    std::string records;
    runner.play([&](int start) { return solver.optimal_return(start); },
                [&](const EpisodeRecord& record) {
                  records += to_json(record) + '\n';
                  return true;
                });
    return records;
  }

  std::string begin(const std::filesystem::path& file) const {
    RecordLog log(file, "{}", Durability::process);
    return play(log);
  }
  std::string resume(const std::filesystem::path& file) const {
    RecordLog log(file, Durability::process);
    return play(log);
  }
};

/// How much of a prompt was computed depends on what a model has kept, where it does not catch up (RecallsPrompts), and
/// on which requests came together.
std::string without_computed_tokens(const std::string& records) {
  return std::regex_replace(records, std::regex("\"computed_tokens\":[0-9]+,"), "");
}

class LoggedRun : public ::testing::Test {
 protected:
  icpi_test::TemporaryFolder folder;
  std::filesystem::path file = folder / "log.jsonl";
};

std::vector<std::pair<std::string, ChainRun>> kinds_of_runs() {
  ChainRun paper;
  ChainRun best;
  best.options = icpi::PolicyIterationOptions{};
  ChainRun one_by_one = paper;
  one_by_one.model = [] {
    return AnyLanguageModel(std::make_unique<testing::LatencyModel<InductionModel>>(
        InductionModel{}, testing::LatencyOptions{.median = 0.05, .deviation = 1}));
  };
  ChainRun planning_one_by_one = best;
  planning_one_by_one.model = one_by_one.model;
  return {{"paper", paper}, {"best", best}, {"asynchronous", one_by_one}, {"asynchronous best", planning_one_by_one}};
}

TEST_F(LoggedRun, GoesOnFromEveryRecordAsIfNothingHadHappened) {
  for (const auto& [name, run] : kinds_of_runs()) {
    SCOPED_TRACE(name);
    std::filesystem::remove(file);
    run.counts->clear();
    const std::string records = run.begin(file);
    const std::string whole = read_bytes(file);
    const std::size_t asked = run.counts->size();
    const bool one_by_one = name.find("asynchronous") != std::string::npos;
    const auto comparable = [&](const std::string& text) { return one_by_one ? without_computed_tokens(text) : text; };
    EXPECT_GT(asked, 100U);
    std::size_t line = 0;
    for (std::size_t end = whole.find('\n') + 1; end <= whole.size(); end = whole.find('\n', end) + 1) {
      if (++line % (all() ? 1 : 7) != 0 && end < whole.size()) continue;
      write_bytes(file, whole.substr(0, end));
      run.counts->clear();
      EXPECT_EQ(comparable(run.resume(file)), comparable(records));
      for (const auto& [request, times] : *run.counts) {
        EXPECT_EQ(times, 1);
        EXPECT_EQ(std::string_view(whole).substr(0, end).find(request.str()), std::string::npos)
            << "an answer was in the log and was asked for again";
      }
      EXPECT_TRUE(one_by_one || read_bytes(file) == whole);
      if (end == whole.size()) {
        EXPECT_TRUE(run.counts->empty());
        break;
      }
    }
  }
}

/// A run whose log is longer than 64 KiB, but not by much.
ChainRun long_enough() {
  ChainRun run;
  run.options = icpi::PolicyIterationOptions{};
  run.steps = 16;
  return run;
}

/// The last 64 KiB in eight parts, because all of them take long.
class CutRun : public LoggedRun, public ::testing::WithParamInterface<std::size_t> {};

TEST_P(CutRun, GoesOnFromEveryByteOfTheLast64KiB) {
  constexpr std::size_t part = 65536 / 8;
  const ChainRun run = long_enough();
  const std::string records = run.begin(file);
  const std::string whole = read_bytes(file);
  ASSERT_GT(whole.size(), 65536U);
  for (std::size_t cut = part * GetParam() + 1; cut <= part * (GetParam() + 1); cut += all() ? 1 : 331) {
    write_bytes(file, whole.substr(0, whole.size() - cut));
    ASSERT_EQ(run.resume(file), records) << "cut by " << cut;
    ASSERT_TRUE(read_bytes(file) == whole);
  }
}

INSTANTIATE_TEST_SUITE_P(Part, CutRun, ::testing::Range<std::size_t>(0, 8));

TEST_F(LoggedRun, NeverTakesAChangedBitForTheTruth) {
  const ChainRun run = long_enough();
  const std::string records = run.begin(file);
  const std::string whole = read_bytes(file);
  RandomStream stream(RandomKey(11));
  int continued = 0;
  const int flips = all() ? 10'000 : 1000;
  for (int i = 0; i < flips; ++i) {
    // Every tenth in the last record, where a run goes on.
    const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
    const std::size_t first = i % 10 == 0 ? last : 0;
    const std::size_t at = first + stream.index(whole.size() - first);
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 << stream.index(8)));
    write_bytes(file, changed);
    try {
      ASSERT_EQ(run.resume(file), records);
      ASSERT_TRUE(read_bytes(file) == whole);
      ++continued;
    } catch (const InvalidArgument& error) {
      ASSERT_THAT(error.what(), AllOf(HasSubstr(file.string()), HasSubstr("offset")));
      ASSERT_TRUE(read_bytes(file) == changed);
    }
  }
  EXPECT_GE(continued, flips / 11);
}

TEST_F(LoggedRun, AnotherRunIsNotContinued) {
  ChainRun run;
  run.begin(file);
  const std::string whole = read_bytes(file);
  const auto refuses = [&](const ChainRun& other) {
    try {
      other.resume(file);
      ADD_FAILURE() << "was continued";
    } catch (const InvalidArgument& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("log.jsonl, offset "), HasSubstr("recorded with another")));
    }
    EXPECT_TRUE(read_bytes(file) == whole);
  };
  ChainRun other = run;
  other.options.queries.sampling.temperature = 0.7;
  refuses(other);
  other = run;
  other.options.decisions.explorations = {icpi::WarmUp{.successes = 0}};
  refuses(other);
}

TEST_F(LoggedRun, StopsBetweenStepsWhenInterrupted) {
  ChainRun run;
  const std::string records = run.begin(folder / "undisturbed");
  run.interrupted = [rounds = 0]() mutable { return ++rounds > 5; };
  RecordLog log(file, "{}", Durability::process);
  EXPECT_LT(run.play(log).size(), records.size());
  run.interrupted = nullptr;
  EXPECT_THAT(read_bytes(file), HasSubstr("\"steps\""));
  RecordLog* const open = &log;
  EXPECT_THROW(run.resume(file), InvalidArgument) << open->name();  // it is still in use
}

/// Fails with what it is told once it was asked so often.
class FailingModel : public ModelDecorator<InductionModel> {
 public:
  FailingModel(int calls, ErrorCategory category)
      : ModelDecorator(InductionModel{}), left_(calls), category_(category) {}
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model_.complete(requests, completions);
    for (auto& each : completions) {
      if (left_-- > 0) continue;
      each = {};
      each.error = {category_, "scripted", 0};
    }
  }

 private:
  int left_;
  ErrorCategory category_;
};

TEST_F(LoggedRun, StopsBeforeADecisionThatTheModelDidNotAnswer) {
  ChainRun run;
  const std::string records = run.begin(folder / "undisturbed");
  for (const auto category : {ErrorCategory::budget_exhausted, ErrorCategory::transport, ErrorCategory::cancelled}) {
    std::filesystem::remove(file);
    ChainRun failing = run;
    failing.model = [category] { return AnyLanguageModel(FailingModel(101, category)); };
    EXPECT_THROW(failing.begin(file), ModelFailure);
    EXPECT_EQ(without_computed_tokens(run.resume(file)), without_computed_tokens(records));
  }
}

/// Throws when it is asked for answers the second time, and whenever it is to cancel.
struct StubbornModel : testing::ShuffledLanguageModel<InductionModel> {
  StubbornModel(std::size_t& open, std::size_t& asked_to_cancel)
      : ShuffledLanguageModel(InductionModel{}, 8, 1), in_flight(&open), cancelled(&asked_to_cancel) {}
  void submit(const CompletionRequest& request, Ticket ticket) {
    ShuffledLanguageModel::submit(request, ticket);
    ++*in_flight;
  }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds patience) {
    if (++collections == 2) throw std::runtime_error("gone");
    const std::size_t count = ShuffledLanguageModel::collect(finished.first(1), patience);
    *in_flight -= count;
    return count;
  }
  void cancel(Ticket) {
    ++*cancelled;
    throw std::runtime_error("cannot cancel");
  }
  std::size_t* in_flight;
  std::size_t* cancelled;
  int collections = 0;
};

TEST_F(LoggedRun, NothingStaysInFlightWhereAModelThrowsAndCannotCancel) {
  RecordLog log(file, "{}", Durability::process);
  RunPart part(log, 0);
  std::size_t in_flight = 0, cancelled = 0;
  LoggedModel<StubbornModel> model(StubbornModel(in_flight, cancelled), part);
  std::vector<CompletionRequest> requests(4);
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].sample_index = static_cast<std::uint32_t>(i);
  std::vector<Completion> completions(4);
  try {
    model.complete(requests, completions);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "gone");
  }
  EXPECT_EQ(in_flight, 0U);
  EXPECT_EQ(cancelled, 3U);
}

/// Walks a chain, and throws in the second step of some episodes and at the beginning of others.
class BrokenChain {
 public:
  using Observation = int;
  using Action = Chain::Action;

  [[nodiscard]] const auto& actions() const { return chain_.actions(); }
  [[nodiscard]] double discount() const { return chain_.discount(); }
  int reset(std::uint64_t seed) {
    kind_ = seed % 4;
    step_ = 0;
    if (kind_ == 0) throw std::runtime_error("cannot begin");
    return chain_.reset(seed);
  }
  Step<int> step(const Action& action) {
    if (++step_ == 2 && kind_ == 1) throw std::runtime_error("broken\nin pieces");
    return chain_.step(action);
  }

 private:
  Chain chain_;
  std::uint64_t kind_ = 0;
  int step_ = 0;
};

/// Plays a random agent in it for 200 steps.
std::vector<EpisodeRecord> play_broken(RecordLog* log, OnEnvironmentError rule,
                                       std::vector<EpisodeRecord>* seen = nullptr) {
  struct WalkingAgent {
    BrokenChain env;
    RandomStream stream{RandomKey(1)};
    Costs spent;
    void begin_episode(int) {}
    Chain::Action act(int) { return *(std::begin(env.actions()) + static_cast<long>(stream.index(2))); }
    void observe(const Step<int>&) {}
    const Costs& costs() const { return spent; }
  };
  std::vector<Player<BrokenChain, WalkingAgent>> players;
  players.push_back({BrokenChain{}, std::make_unique<WalkingAgent>(), 7});
  RunSettings settings{"broken", "random", "", 200, 0.8, 1};
  settings.on_environment_error = rule;
  std::optional<RunPart> part;
  RunRecorder<BrokenChain> recorder;
  if (log != nullptr) {
    part.emplace(*log, 0);
    recorder = {&*part, [](int state) { return std::to_string(state); }};
  }
  VectorRunner<BrokenChain, WalkingAgent> runner(players, settings, recorder);
  std::vector<EpisodeRecord> records;
  runner.play([](int) { return 1.0; },
              [&](const EpisodeRecord& record) {
                records.push_back(record);
                if (seen != nullptr) seen->push_back(record);
                return true;
              });
  return records;
}

TEST_F(LoggedRun, AnEnvironmentThatThrowsFailsTheEpisodeAndTheRunGoesOn) {
  const auto records = play_broken(nullptr, OnEnvironmentError::proceed);
  std::set<std::string> errors;
  std::uint64_t step = 0;
  for (const auto& record : records) {
    step += record.length;
    EXPECT_EQ(record.step, step);
    if (record.environment_error.empty()) continue;
    errors.insert(record.environment_error);
    EXPECT_FALSE(record.terminated || record.truncated);
    EXPECT_EQ(record.length, record.environment_error == "cannot begin" ? 1U : 2U);
    EXPECT_EQ(parse_episode_record(to_json(record)), record);
  }
  EXPECT_EQ(errors, (std::set<std::string>{"broken\nin pieces", "cannot begin"}));
  EXPECT_GE(step, 200U);
}

TEST_F(LoggedRun, AnEnvironmentThatThrowsStopsTheRunWhichGoesOnBehindTheFailure) {
  const auto undisturbed = play_broken(nullptr, OnEnvironmentError::proceed);
  { const RecordLog log(file, "{}", Durability::process); }
  std::size_t failed = 0;
  for (bool complete = false; !complete;) {
    std::vector<EpisodeRecord> records;
    RecordLog log(file, Durability::process);
    try {
      play_broken(&log, OnEnvironmentError::stop, &records);
      complete = true;
      EXPECT_EQ(records, undisturbed);
    } catch (const EnvironmentError& error) {
      EXPECT_THAT(error.what(), HasSubstr("broken, seed 7, episode " + std::to_string(records.back().episode)));
      EXPECT_FALSE(records.back().environment_error.empty());
      ++failed;
    }
    ASSERT_LE(failed, undisturbed.size());
  }
  EXPECT_GE(failed, 3U);
}

TEST_F(LoggedRun, ATrainedPolicyGoesOnWhereItWas) {
  using Icpi = PolicyIteration<Chain, LoggedModel<CountingModel>>;
  const auto counts = std::make_shared<CountingModel::Counts>();
  const ChainFormatter formatter;
  const auto text = [&](int state) { return std::string(formatter.observation(state)); };
  const auto session = [&](RecordLog& log, std::size_t episodes) {
    RunPart part(log, 0);
    LoggedModel<CountingModel> model(CountingModel(AnyLanguageModel(InductionModel{}), counts), part);
    Chain env;
    Icpi agent(env, model, icpi_test::much_asking_options(5));
    LoggedAgent<Chain, Icpi> logged(env, agent, part, 5, text);
    logged.train(env, {.episodes = episodes});
    return agent.costs();
  };
  Costs undisturbed;
  {
    RecordLog log(folder / "undisturbed", "{}", Durability::process);
    undisturbed = session(log, 9);
  }
  {
    RecordLog log(file, "{}", Durability::process);
    session(log, 5);
  }
  counts->clear();
  RecordLog log(file, Durability::process);
  EXPECT_EQ(session(log, 9), undisturbed);
  for (const auto& [request, times] : *counts) EXPECT_EQ(times, 1);
  EXPECT_LT(counts->size(), undisturbed.lm_calls);
  EXPECT_TRUE(read_bytes(file) == read_bytes(folder / "undisturbed"));
}

TEST_F(LoggedRun, AStopEndsTrainingBetweenStepsAndDecisionTimesAreRefused) {
  using Icpi = PolicyIteration<Chain, LoggedModel<InductionModel>>;
  const auto session = [](RecordLog& log, TrainingLimits limits, std::stop_source* stop = nullptr) {
    RunPart part(log, 0);
    LoggedModel<InductionModel> model(InductionModel{}, part);
    Chain env;
    Icpi agent(env, model, {.seed = 5});
    LoggedAgent<Chain, Icpi> logged(env, agent, part, 5, [](int state) { return std::to_string(state); });
    std::size_t decisions = 0;
    agent.callbacks().on_decision = [&](const Decision&) {
      if (stop != nullptr && ++decisions == 30) stop->request_stop();
    };
    return logged.train(env, limits);
  };
  RecordLog undisturbed(folder / "undisturbed", "{}", Durability::process);
  session(undisturbed, {.steps = 60});
  {
    RecordLog log(file, "{}", Durability::process);
    std::stop_source stop;
    EXPECT_EQ(session(log, {.steps = 60, .until = {.stop = stop.get_token()}}, &stop), 30U);
  }
  RecordLog log(file, Durability::process);
  EXPECT_THROW(session(log, {.steps = 60, .decision_time = std::chrono::milliseconds(10)}), InvalidArgument);
  session(log, {.steps = 60});
  EXPECT_TRUE(read_bytes(file) == read_bytes(folder / "undisturbed"));
}

TEST_F(LoggedRun, OptionsThatAreNoneOfTheirNamesAreNamed) {
  const auto refusal = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal([&] { RecordLog(file, "{}", static_cast<Durability>(2)); }), HasSubstr("durability is 2"));
  EXPECT_FALSE(std::filesystem::exists(file));
  RecordLog log(file, "{}", Durability::process);
  EXPECT_THAT(refusal([&] { log.set_durability(static_cast<Durability>(77)); }), HasSubstr("durability is 77"));
  RunPart part(log, 0);
  EXPECT_THAT(
      refusal([&] { LoggedModel<InductionModel> model(InductionModel{}, part, static_cast<ModelFailures>(9)); }),
      HasSubstr("failures is 9"));
  std::vector<Player<Chain, RandomAgent<Chain>>> players;
  RunSettings settings;
  settings.on_environment_error = static_cast<OnEnvironmentError>(2);
  EXPECT_THAT(refusal([&] { VectorRunner<Chain, RandomAgent<Chain>>(players, settings); }),
              HasSubstr("on_environment_error is 2"));
}

/// A program that acts in a chain which goes on while the program comes and goes.
struct OpenLoop {
  using Icpi = PolicyIteration<Chain, LoggedModel<InductionModel>>;

  explicit OpenLoop(const std::filesystem::path& file) : log(file, Durability::process) {
    where = logged.restore([](const std::string& text) { return std::stoi(text); });
  }

  RecordLog log;
  RunPart part{log, 0};
  LoggedModel<InductionModel> model{InductionModel{}, part};
  Chain env;
  Icpi agent{env, model, icpi_test::much_asking_options(2)};
  LoggedAgent<Chain, Icpi> logged{env, agent, part, 2, [](int state) { return std::to_string(state); }};
  RestoredEpisode<Chain> where;
};

TEST_F(LoggedRun, AnOpenLoopIsRestoredFromTheLogAlone) {
  std::vector<std::vector<Chain::Action>> actions(2);
  for (const bool disturbed : {false, true}) {
    std::filesystem::remove(file);
    { const RecordLog log(file, "{}", Durability::process); }
    auto program = std::make_unique<OpenLoop>(file);
    const auto restart = [&] {
      if (!disturbed) return;
      program.reset();
      program = std::make_unique<OpenLoop>(file);
    };
    Chain env;
    std::optional<int> seen;
    for (std::uint64_t step = 0; step < 60; ++step) {
      restart();
      EXPECT_TRUE(!disturbed || program->where.observation == seen);
      if (!seen) {
        seen = env.reset(step);
        program->logged.begin_episode(*seen);
      }
      const auto action = program->logged.act(*seen);
      actions[disturbed].push_back(action);
      restart();
      EXPECT_TRUE(!disturbed || program->where.action == action);
      const auto outcome = env.step(action);
      program->logged.observe(outcome);
      seen = outcome.observation;
      if (outcome.terminated || outcome.truncated) seen.reset();
    }
    EXPECT_GT(program->logged.costs().lm_calls, 500U);
  }
  EXPECT_EQ(actions[0], actions[1]);
}

}  // namespace
}  // namespace icpi
