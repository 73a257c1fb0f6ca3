// SPDX-License-Identifier: MIT
// A writer that is killed at any moment loses no answer that insert returned for, and breaks nothing.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "helpers.hpp"
#include "icpi/core/random.hpp"

namespace {

using icpi::store::CacheOptions;
using icpi::store::CompletionStore;

icpi::Completion answer(int number) {
  icpi::Completion completion;
  completion.text = fmt::format("answer {}", number) + std::string(static_cast<std::size_t>(number % 700), '.');
  completion.finish = icpi::FinishReason::stop;
  return completion;
}

icpi::RequestFingerprint key_of(int number) {
  const std::string query = std::to_string(number);
  icpi::CompletionRequest request;
  request.query = query;
  return fingerprint(request, "model");
}

[[noreturn]] void write_for_ever(const CacheOptions& options, int first, int pipe) {
  CompletionStore store(options);
  for (int number = first;; ++number) {
    store.insert(key_of(number), answer(number));
    if (write(pipe, &number, sizeof number) != sizeof number) _exit(1);
  }
}

/// Kills `count` writers, each at a random moment after none to six of its answers were confirmed, however long
/// these take; how many answers were confirmed in all.
int kill_writers(int count) {
  const icpi_test::TemporaryFolder folder;
  CacheOptions options;
  options.file = folder / "cache.db";
  int damage_notices = 0;
  options.notice = [&](std::string_view) { ++damage_notices; };
  icpi::RandomStream stream(icpi::RandomKey(3));
  int confirmed = 0;
  for (int round = 0; round < count; ++round) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      write_for_ever(options, confirmed, ends[1]);
    }
    close(ends[1]);
    int number = 0;
    const auto read_one = [&] {
      const bool whole = read(ends[0], &number, sizeof number) == sizeof number;
      if (whole) confirmed = number + 1;
      return whole;
    };
    for (std::size_t awaited = stream.index(7); awaited > 0; --awaited) EXPECT_TRUE(read_one());
    std::this_thread::sleep_for(std::chrono::microseconds(stream.index(5000)));
    kill(child, SIGKILL);
    while (read_one()) {
    }
    waitpid(child, nullptr, 0);
    close(ends[0]);
    CompletionStore store(options);
    const auto entries = static_cast<int>(store.entries());
    EXPECT_TRUE(entries == confirmed || entries == confirmed + 1) << entries << " of " << confirmed;
    confirmed = entries;
  }
  CompletionStore store(options);
  for (int number = 0; number < confirmed; ++number) EXPECT_EQ(store.find(key_of(number)), answer(number));
  EXPECT_EQ(damage_notices, 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "cache.db.damaged-1"));
  return confirmed;
}

// ICPI_LONG_TESTS in the environment runs all 200.
TEST(KilledWriter, LosesNothingThatWasConfirmed) {
  const bool all = std::getenv("ICPI_LONG_TESTS") != nullptr;
  EXPECT_GT(kill_writers(all ? 200 : 25), 50);
}

}  // namespace
