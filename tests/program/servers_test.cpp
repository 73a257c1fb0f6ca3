// SPDX-License-Identifier: MIT
// The program against servers on 127.0.0.1 that answer as an oracle of the chain would: deterministic, and worth learning
// from.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/oracle_server.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using namespace std::chrono_literals;
using icpi_test::ChainOracle;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::ScriptedServer;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

const std::string key = "sk-program-key-77123";

/// An oracle behind HTTP that counts what it is asked.
class OracleServer {
 public:
  using Fault = std::function<HttpReply(const HttpRequest&, const std::function<HttpReply(const HttpRequest&)>&)>;
  explicit OracleServer(Fault fault = {}, std::uint16_t port = 0)
      : fault_(std::move(fault)),
        server_(
            [this](const HttpRequest& request) {
              if (request.method == "POST") ++asked_;
              return fault_ ? fault_(request, [this](const HttpRequest& r) { return oracle_(r); }) : oracle_(request);
            },
            port) {}
  [[nodiscard]] int asked() const { return asked_; }
  /// The same when it has come to `count`, or after 10 seconds: what a run sent and did not wait for is read after its end.
  [[nodiscard]] int asked_in_the_end(int count) const {
    for (const auto deadline = std::chrono::steady_clock::now() + 10s;
         asked_ < count && std::chrono::steady_clock::now() < deadline;)
      std::this_thread::sleep_for(1ms);
    return asked_;
  }
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }

 private:
  ChainOracle oracle_;
  const Fault fault_;
  std::atomic<int> asked_{0};
  ScriptedServer server_;
};

class Servers : public CommandLineTest {
 protected:
  Servers() {
    unsetenv("OPENAI_BASE_URL");
    unsetenv("OPENAI_API_KEY");
  }

  /// The words of a run that writes into `out`.
  Words train(const std::string& url, const std::string& out, Words more = {}) const {
    Words words{"train",       "--domain",     "chain",        "--model", "http",   "--base-url",
                url,           "--model-name", "chain-oracle", "--seeds", "0:2",    "--set",
                "mode=stable", "--steps",      "60",           "--out",   path(out)};
    words.insert(words.end(), asking_much.begin(), asking_much.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// The records of a run that must succeed.
  std::string records(const Words& words, const std::string& out) {
    const CommandResult result = icpi(words);
    EXPECT_EQ(result.code, 0) << result.error;
    said_ = result.out;
    return read(path(out + "/episodes.jsonl"));
  }

  std::string said_;
};

TEST_F(Servers, ModelsPrintsWhatAServerCanDo) {
  const OracleServer server;
  const CommandResult result = icpi({"models", "--model", "http", "--base-url", server.url()});
  EXPECT_EQ(result.code, 0) << result.error;
  for (const auto* part :
       {"model          chain-oracle", "dialect        completions", "choices        no", "127.0.0.1"})
    EXPECT_THAT(result.out, HasSubstr(part));
  setenv("OPENAI_BASE_URL", server.url().c_str(), 1);
  EXPECT_EQ(icpi({"models", "--model", "http"}).out, result.out);
  unsetenv("OPENAI_BASE_URL");
  const CommandResult wrong = icpi({"models", "--model", "http", "--base-url", server.url(), "--model-name", "other"});
  EXPECT_EQ(wrong.code, 0) << "what a server lists is a hint";
  EXPECT_THAT(wrong.error, HasSubstr("chain-oracle"));
}

TEST_F(Servers, TwoThatShareTheLoadMakeTheRecordsOfOne) {
  const auto read_records = [](const std::string& text) {
    std::vector<EpisodeRecord> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      found.push_back(parse_episode_record(line));
      EXPECT_THAT(found.back().model, HasSubstr("chain-oracle"));
      found.back().model.clear();  // it names the servers
    }
    return found;
  };
  const OracleServer one;
  const OracleServer two;
  const auto alone = read_records(records(train(one.url(), "alone"), "alone"));
  const int asked = one.asked();
  const auto shared = read_records(records(train(one.url() + "," + two.url(), "shared"), "shared"));
  EXPECT_GT(shared.size(), 10U);
  EXPECT_TRUE(shared == alone);
  EXPECT_GT(one.asked() - asked, asked / 5);
  EXPECT_GT(two.asked(), asked / 5);
}

TEST_F(Servers, ASecondRunAsksNothingAndAReplayNeedsNoServer) {
  std::string url;
  std::string first;
  const Words cached{"--cache", path("answers.db")};
  {
    const OracleServer server;
    url = server.url();
    first = records(train(url, "first", cached), "first");
    EXPECT_GT(server.asked(), 100);
    const int asked = server.asked();
    EXPECT_EQ(records(train(url, "second", cached), "second"), first);
    EXPECT_EQ(server.asked(), asked);
    EXPECT_THAT(said_, HasSubstr("Model: 0 calls"));
    EXPECT_THAT(said_, HasSubstr("0 misses (100.0 % hits)"));
  }
  Words replay = cached;
  replay.emplace_back("--require-cache");
  EXPECT_EQ(records(train(url, "third", replay), "third"), first);
  replay.insert(replay.end(), {"--set", "temperature=0.3"});
  const CommandResult missing = icpi(train(url, "fourth", replay));
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.error, HasSubstr("not in the completion cache"));
}

TEST_F(Servers, WholeTransitionsAreCachedToo) {
  const Words cached{"--cache", path("answers.db"), "--set", "transition_questions=whole"};
  const OracleServer server;
  const std::string first = records(train(server.url(), "first", cached), "first");
  const int asked = server.asked();
  EXPECT_GT(asked, 50);
  EXPECT_EQ(records(train(server.url(), "second", cached), "second"), first);
  EXPECT_EQ(server.asked(), asked);
  EXPECT_THAT(said_, HasSubstr("0 misses (100.0 % hits)"));
}

TEST_F(Servers, FourProcessesShareACacheAndAgree) {
  OracleServer server([](const HttpRequest& request, const auto& answer) {
    HttpReply reply = answer(request);
    reply.first_byte_delay = 5ms;  // so that they really run side by side
    return reply;
  });
  const std::string alone = records(train(server.url(), "alone"), "alone");
  const int asked = server.asked();
  std::vector<pid_t> processes;
  for (int i = 0; i < 4; ++i)
    processes.push_back(start(train(server.url(), "run" + std::to_string(i), {"--cache", path("answers.db")})));
  for (int i = 0; i < 4; ++i) {
    const CommandResult result = finish(processes[static_cast<std::size_t>(i)]);
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(read(path("run" + std::to_string(i) + "/episodes.jsonl")), alone);
  }
  EXPECT_LT(server.asked() - asked, 4 * asked);
}

TEST_F(Servers, NothingThatARunLeavesBehindHoldsTheKey) {
  std::atomic<int> number{0};
  std::atomic<bool> keyed{true};
  OracleServer server([&](const HttpRequest& request, const auto& answer) {
    if (request.headers.find("authorization: bearer " + key) == std::string::npos) keyed = false;
    if (request.method == "GET" || ++number % 400 != 0) return answer(request);
    HttpReply reply;
    reply.status = 500;
    reply.body = R"({"error":{"message":"no more for )" + key + R"("}})";
    return reply;
  });
  setenv("ICPI_TEST_PROGRAM_KEY", key.c_str(), 1);
  Words more{"--api-key-env", "ICPI_TEST_PROGRAM_KEY", "--cache", path("answers.db"), "--record", path("record.jsonl")};
  const pid_t process = start(train(server.url(), "out", more));
  while (number < 50 && is_running(process)) std::this_thread::sleep_for(1ms);
  const std::string command = read("/proc/" + std::to_string(process) + "/cmdline");
  EXPECT_THAT(command, HasSubstr("ICPI_TEST_PROGRAM_KEY"));
  EXPECT_THAT(command, Not(HasSubstr(key)));
  const CommandResult good = finish(process);
  EXPECT_EQ(good.code, 0) << good.error;
  EXPECT_TRUE(keyed);
  EXPECT_GT(number, 800);  // some of them failed

  OracleServer refusing([&](const HttpRequest& request, const auto& answer) {
    if (request.method == "GET") return answer(request);
    HttpReply reply;
    reply.status = 401;
    reply.body = R"({"error":{"message":"unknown key )" + key + R"("}})";
    return reply;
  });
  const CommandResult bad = icpi(train(refusing.url(), "refused", {"--api-key-env", "ICPI_TEST_PROGRAM_KEY"}));
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.error, HasSubstr("authentication"));
  // The key in the place of the variable's name: refused, and not repeated either.
  const CommandResult mistaken = icpi(train(server.url(), "mistaken", {"--api-key-env", key}));
  EXPECT_EQ(mistaken.code, 2);
  const std::string shown =
      icpi({"models", "--model", "http", "--base-url", server.url(), "--api-key-env", "ICPI_TEST_PROGRAM_KEY"}).out;
  unsetenv("ICPI_TEST_PROGRAM_KEY");

  std::string everything = shown;
  for (const auto& result : {good, bad, mistaken}) everything += result.out + result.error;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    everything += entry.path().string() + read(entry.path().string());
  }
  EXPECT_GE(files, 6);
  EXPECT_THAT(everything, HasSubstr("chain-oracle"));
  EXPECT_EQ(everything.find(key), std::string::npos);
  EXPECT_EQ(everything.find("program-key"), std::string::npos);
}

TEST_F(Servers, ABudgetEndsTheRunAndKeepsTheEpisodesBefore) {
  const OracleServer server;
  const Words prices{"--prompt-price", "2", "--completion-price", "6"};
  const std::string whole = records(train(server.url(), "whole", prices), "whole");
  EXPECT_THAT(said_, HasSubstr(", cost "));
  const int asked = server.asked();
  const CommandResult stopped = icpi(train(server.url(), "stopped", {"--max-calls", "300", "--jobs", "2"}));
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.error, HasSubstr("the budget of 300 calls is used up"));
  EXPECT_THAT(stopped.out, HasSubstr("Model: 300 calls, "));
  EXPECT_EQ(server.asked_in_the_end(asked + 300) - asked, 300);
  const std::string kept = read(path("stopped/episodes.jsonl"));
  EXPECT_FALSE(kept.empty());
  std::istringstream lines(kept);
  for (std::string line; std::getline(lines, line);) EXPECT_THAT(whole, HasSubstr(line + '\n'));
  const CommandResult resumed = icpi({"train", "--resume", path("stopped"), "--max-calls", "1000000"});
  EXPECT_EQ(resumed.code, 0) << resumed.error;
  EXPECT_EQ(read(path("stopped/episodes.jsonl")), whole);
  Words costly = prices;
  costly.insert(costly.end(), {"--max-cost", "0.1"});
  EXPECT_THAT(icpi(train(server.url(), "costly", costly)).error, HasSubstr("0.1 of money"));
}

TEST_F(Servers, ADryRunAsksNobody) {
  const OracleServer server;
  const CommandResult result = icpi(train(server.url(), "dry", {"--dry-run", "--prompt-price", "2"}));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("cost"));
  EXPECT_EQ(server.asked(), 0);
  EXPECT_FALSE(std::filesystem::exists(path("dry")));
  Words silent{"train", "--domain", "chain", "--dry-run", "--steps", "2"};
  EXPECT_THAT(icpi(silent).out, HasSubstr("0 calls, because what was never tried is hoped for"));
  silent.insert(silent.end(), {"--options", "paper"});
  EXPECT_THAT(icpi(silent).out, HasSubstr("0 calls, because the agent acts at random"));
}

TEST_F(Servers, AServerThatMovedGoesOnWithTheRun) {
  std::string whole;
  {
    const OracleServer before;
    whole = records(train(before.url(), "whole"), "whole");
    EXPECT_EQ(icpi(train(before.url(), "run", {"--max-calls", "300"})).code, 1);
    const OracleServer now;
    const Words moved{"train", "--resume", path("run"), "--base-url", now.url(), "--max-calls", "1000000"};
    const CommandResult other = icpi(moved);
    EXPECT_EQ(other.code, 2);
    EXPECT_THAT(other.error, HasSubstr(now.url()));
    EXPECT_EQ(now.asked(), 0);
    Words same = moved;
    same.insert(same.end(), {"--moved-from", before.url()});
    const int asked = before.asked();
    const CommandResult resumed = icpi(same);
    EXPECT_EQ(resumed.code, 0) << resumed.error;
    EXPECT_EQ(before.asked(), asked);
    EXPECT_GT(now.asked(), 0);
  }
  EXPECT_EQ(read(path("run/episodes.jsonl")), whole);
}

TEST_F(Servers, WhatTheCommandLineNamesBeatsTheEnvironment) {
  const OracleServer server;
  setenv("OPENAI_BASE_URL", server.url().c_str(), 1);
  EXPECT_THAT(icpi({"models", "--model", "http"}).out, HasSubstr(server.url()));
  // The default, given explicitly; nobody is expected to listen there, and whoever does is not our server.
  EXPECT_THAT(icpi({"models", "--model", "http", "--base-url", "http://127.0.0.1:8080/v1"}).out,
              Not(HasSubstr(server.url())));
  unsetenv("OPENAI_BASE_URL");
}

TEST_F(Servers, FilesThatCannotHoldAnswersAreNamedBeforeAnythingIsWritten) {
  const OracleServer server;
  std::ofstream(path("text")) << "words\n";
  for (const Words& wrong : {Words{"--cache", path("nowhere/answers.db")}, Words{"--cache", path("text")},
                             Words{"--record", path("nowhere/record")}, Words{"--record", path("text")},
                             Words{"--cache", path("both"), "--record", path("both")}}) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const CommandResult result = icpi(train(server.url(), "out", wrong));
      EXPECT_NE(result.code, 0);
      EXPECT_THAT(result.error, HasSubstr(wrong.back()));
      EXPECT_FALSE(std::filesystem::exists(path("out"))) << wrong.back();
      EXPECT_EQ(read(path("text")), "words\n");
    }
  }
  EXPECT_EQ(server.asked(), 0);
}

/// An oracle server in a process of its own, so that it can be killed.
class KillableServer {
 public:
  KillableServer() : port_(OracleServer().port()) {
    void* shared = mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) throw std::runtime_error("no shared memory");
    asked_ = new (shared) std::atomic<int>(0);
    start();
  }
  KillableServer(const KillableServer&) = delete;
  KillableServer& operator=(const KillableServer&) = delete;
  ~KillableServer() {
    stop();
    munmap(asked_, sizeof(std::atomic<int>));
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

  void start() {
    process_ = fork();
    if (process_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const OracleServer server(
        [this](const HttpRequest& request, const auto& answer) {
          HttpReply reply = answer(request);
          reply.first_byte_delay = 5ms;
          if (request.method == "POST") ++*asked_;
          return reply;
        },
        port_);
    while (true) pause();
  }
  void stop() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  /// Requests so far, of all its lives.
  [[nodiscard]] int asked() const { return *asked_; }

 private:
  std::uint16_t port_;
  std::atomic<int>* asked_ = nullptr;  ///< in memory that the processes share
  pid_t process_ = -1;
};

class KilledServer : public Servers {};

TEST_F(KilledServer, ComesBackAndTheRecordsAreThoseOfAnUndisturbedRun) {
  KillableServer server;
  const Words words = train(server.url(), "undisturbed");
  const std::string undisturbed = records(words, "undisturbed");
  const int asked = server.asked();
  ASSERT_GT(asked, 1000);
  const pid_t process = start(train(server.url(), "killed"));
  while (server.asked() < asked + asked / 2) std::this_thread::sleep_for(1ms);
  server.stop();
  std::this_thread::sleep_for(std::getenv("ICPI_LONG_TESTS") != nullptr ? 10s : 2s);
  EXPECT_EQ(waitpid(process, nullptr, WNOHANG), 0) << "it did not wait for the server";
  EXPECT_THAT(error_of(process), HasSubstr("pausing"));
  server.start();
  const CommandResult result = finish(process);
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("is back after"));
  EXPECT_TRUE(read(path("killed/episodes.jsonl")) == undisturbed);
}

TEST_F(KilledServer, ASignalEndsTheWaitForItAndTheRunGoesOnLater) {
  KillableServer server;
  const std::string undisturbed = records(train(server.url(), "undisturbed"), "undisturbed");
  const int asked = server.asked();
  const pid_t process = start(train(server.url(), "stopped"));
  while (server.asked() < asked + asked / 2) std::this_thread::sleep_for(1ms);
  server.stop();
  while (error_of(process).find("pausing") == std::string::npos) std::this_thread::sleep_for(1ms);
  kill(process, SIGTERM);
  const CommandResult result = finish(process);  // at once, not when the patience with the server is over
  EXPECT_EQ(result.code, 128 + SIGTERM);
  EXPECT_THAT(result.error, HasSubstr("--resume"));
  server.start();
  const int before = server.asked();
  EXPECT_EQ(icpi({"train", "--resume", path("stopped")}).code, 0);
  EXPECT_TRUE(read(path("stopped/episodes.jsonl")) == undisturbed);
  EXPECT_LT(server.asked() - before, asked);  // what was answered is not asked again
}

}  // namespace
}  // namespace icpi::program
