// SPDX-License-Identifier: MIT
// Many processes share a database: nothing is lost, and nothing asked twice but what a dead worker had claimed.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "icpi/store/completion_cache.hpp"
#include "postgres/server.hpp"
#include "store/helpers.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::postgres::CompletionDatabase;
using icpi::postgres::DatabaseOptions;
using icpi::store::CompletionCache;
using icpi_test::TemporaryFolder;

constexpr int workers = 8;
constexpr int look_ups = 10'000;  // of each
constexpr int batch = 50;
constexpr int killed = 3;  // this worker

/// Answers as CountingModel, and notes every question in a file before it does. Its process dies at one of the calls.
class NotingModel {
 public:
  /// `dies_at`: the number of that call; -1: it lives.
  NotingModel(const std::string& file, int dies_at)
      : file_(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)), dies_at_(dies_at) {}
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    std::string lines;
    for (const CompletionRequest& request : requests) lines += std::string(request.query) + '\n';
    if (write(file_, lines.data(), lines.size()) < 0) std::abort();
    if (calls_++ == dies_at_) raise(SIGKILL);
    std::this_thread::sleep_for(2ms);
    int ignored = 0;
    icpi_test::CountingModel(&ignored).complete(requests, completions);
  }
  [[nodiscard]] std::string identity() const { return "counting"; }

 private:
  int file_;
  int dies_at_;
  int calls_ = 0;
};

/// Of five questions one is asked by all workers at the same moment, the others by this one alone.
std::string question(int worker, int number) {
  return number % 5 == 0 ? fmt::format("shared {}", number) : fmt::format("{} of {}", number, worker);
}

class Workers : public icpi_test::WithServer {
 protected:
  /// A worker's process: looks everything up and checks the answers; its exit code says whether they were right.
  static pid_t start(int worker, const std::string& asked, const std::string& counts, int dies_at = -1) {
    const pid_t child = fork();
    if (child > 0) return child;
    DatabaseOptions shared = options();
    shared.lease = 3s;
    bool right = true;
    {
      const auto database = std::make_shared<CompletionDatabase>(shared);
      CompletionCache cache(NotingModel(asked, dies_at), database);
      for (int first = 0; first < look_ups; first += batch) right = right && look_up(cache, worker, first);
      const auto counted = cache.statistics();
      std::ofstream(counts) << counted.hits << ' ' << counted.misses << ' ' << counted.waits << ' ' << counted.retaken
                            << '\n';
    }
    std::_Exit(right ? 0 : 1);
  }

  static bool look_up(CompletionCache<NotingModel>& cache, int worker, int first) {
    std::vector<std::string> texts;
    for (int i = first; i < first + batch; ++i) texts.push_back(question(worker, i));
    std::vector<CompletionRequest> requests(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) requests[i].query = texts[i];
    std::vector<Completion> completions(texts.size());
    cache.complete(requests, completions);
    for (std::size_t i = 0; i < texts.size(); ++i)
      if (completions[i].error || completions[i].text != icpi_test::answer_to(requests[i])) return false;
    return true;
  }

  static std::map<std::string, int> lines_of(const std::string& file) {
    std::map<std::string, int> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) ++lines[line];
    return lines;
  }
};

TEST_F(Workers, ShareEveryAnswerThoughOneIsKilledAndTheServerToo) {
  const TemporaryFolder folder;
  const std::string asked = folder / "asked";
  std::vector<pid_t> children;
  for (int worker = 0; worker < workers; ++worker)
    children.push_back(
        start(worker, asked, folder / fmt::format("counts {}", worker).c_str(), worker == killed ? 100 : -1));
  // In mid-run, as the number of questions asked so far tells.
  const auto asked_so_far = [&] {
    std::size_t count = 0;
    for (const auto& [line, times] : lines_of(asked)) count += static_cast<std::size_t>(times);
    return count;
  };
  while (asked_so_far() < 20'000) std::this_thread::sleep_for(5ms);
  server->kill();
  server->start();

  for (int worker = 0; worker < workers; ++worker) {
    int status = 0;
    ASSERT_EQ(waitpid(children[static_cast<std::size_t>(worker)], &status, 0),
              children[static_cast<std::size_t>(worker)]);
    if (worker == killed)
      EXPECT_TRUE(WIFSIGNALED(status));
    else
      EXPECT_EQ(status, 0) << "worker " << worker;
  }
  // The one that was killed goes on: what it had answered is there.
  int status = 0;
  const pid_t again = start(killed, asked, folder / fmt::format("counts {}", killed).c_str());
  ASSERT_EQ(waitpid(again, &status, 0), again);
  EXPECT_EQ(status, 0);

  const auto questions = lines_of(asked);
  std::set<std::string> expected;
  for (int worker = 0; worker < workers; ++worker)
    for (int i = 0; i < look_ups; ++i) expected.insert(question(worker, i));
  EXPECT_EQ(questions.size(), expected.size());
  std::size_t twice = 0;
  for (const auto& [line, times] : questions) {
    EXPECT_TRUE(expected.contains(line)) << line;
    twice += static_cast<std::size_t>(times - 1);
  }
  std::size_t retaken = 0;
  std::size_t hits = 0;
  std::size_t waits = 0;
  for (int worker = 0; worker < workers; ++worker) {
    std::ifstream in(folder / fmt::format("counts {}", worker).c_str());
    std::size_t worker_hits = 0, misses = 0, worker_waits = 0, worker_retaken = 0;
    in >> worker_hits >> misses >> worker_waits >> worker_retaken;
    EXPECT_EQ(worker_hits + misses, std::size_t{look_ups}) << "each is a hit or a miss in the end";
    hits += worker_hits;
    waits += worker_waits;
    retaken += worker_retaken;
  }
  EXPECT_GT(twice, 0U) << "what the one that was killed had asked, and not answered";
  EXPECT_LE(twice, retaken);
  EXPECT_EQ(server->ask("SELECT count(*) FROM icpi_completions WHERE record IS NOT NULL"),
            std::to_string(expected.size()));
  EXPECT_EQ(server->ask("SELECT count(*) FROM icpi_completions WHERE record IS NULL"), "0");
  RecordProperty("asked_twice", std::to_string(twice));
  fmt::print("{} questions, {} asked twice, {} claims retaken, {} hits, {} waits\n", expected.size(), twice, retaken,
             hits, waits);
}

}  // namespace
