// SPDX-License-Identifier: MIT
// measure_look_ups FILE|postgresql://HOST/NAME [ANSWERS [BATCH]]: how many answers a second a completion cache finds and
// keeps, asked for BATCH (100) at a time. A cache that is not there is made; ANSWERS (100,000) go in, and all of them are looked
// up three times, in another order each time.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cache_database.hpp"
#include "icpi/core/random.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/store/completion_store.hpp"

namespace {

using icpi::Completion;
using icpi::store::CacheBackend;
using Clock = std::chrono::steady_clock;

constexpr const char* model = "measured";

std::shared_ptr<CacheBackend> open_cache(const std::string& cache) {
  icpi::program::ModelChoice choice;
  choice.cache = cache;
  if (icpi::program::names_database(cache)) return icpi::program::open_database(choice);
  icpi::store::CacheOptions options;
  options.file = cache;
  return std::make_shared<icpi::store::CompletionStore>(std::move(options));
}

/// Questions as an agent asks them: a prompt of 1,500 characters, an answer of 20.
struct Questions {
  explicit Questions(std::size_t count) : texts(count), requests(count), all(count) {
    for (std::size_t i = 0; i < count; ++i) {
      texts[i] = fmt::format("assert state == {} and number == {}\n", i % 97, i);
      requests[i].prefix = {1, examples};
      requests[i].query = texts[i];
      all[i] = {fingerprint(requests[i], model), model, &requests[i]};
    }
  }
  std::string examples = std::string(1500, 'x');
  std::vector<std::string> texts;
  std::vector<icpi::CompletionRequest> requests;
  std::vector<CacheBackend::Question> all;
};

/// Looks everything up; how many of them were known.
std::size_t look_up(CacheBackend& cache, std::span<const CacheBackend::Question> questions, std::size_t batch) {
  std::vector<CacheBackend::Finding> findings(batch);
  std::size_t known = 0;
  for (; !questions.empty(); questions = questions.subspan(std::min(batch, questions.size()))) {
    const auto now = questions.first(std::min(batch, questions.size()));
    const auto found = std::span(findings).first(now.size());
    cache.look_up(now, found);
    known += static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [](const auto& finding) {
      return finding.standing == CacheBackend::Standing::known;
    }));
  }
  return known;
}

void insert(CacheBackend& cache, std::span<const CacheBackend::Question> questions, std::size_t batch) {
  Completion completion;
  completion.text = " state == 3 and done";
  completion.finish = icpi::FinishReason::stop;
  completion.usage = {500, 0, 8};
  std::vector<CacheBackend::Answer> answers;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    answers.push_back({questions[i].key, &completion});
    if (answers.size() < batch && i + 1 < questions.size()) continue;
    cache.insert(answers);
    answers.clear();
  }
}

template <class Work>
void measure(const char* what, std::size_t count, Work&& work) {
  const auto began = Clock::now();
  work();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  fmt::print("| {} | {:.0f} |\n", what, static_cast<double>(count) / seconds);
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    fmt::print(stderr, "measure_look_ups FILE|postgresql://HOST/NAME [ANSWERS [BATCH]]\n");
    return 2;
  }
  const std::size_t answers = count > 2 ? std::strtoull(words[2], nullptr, 10) : 100'000;
  const std::size_t batch = std::max<std::size_t>(count > 3 ? std::strtoull(words[3], nullptr, 10) : 100, 1);
  Questions questions(answers);
  const auto cache = open_cache(words[1]);
  fmt::print("| {} answers, {} at a time | a second |\n|---|--:|\n", answers, batch);
  measure("looked up in vain", answers, [&] { static_cast<void>(look_up(*cache, questions.all, batch)); });
  measure("kept", answers, [&] { insert(*cache, questions.all, batch); });
  icpi::RandomStream stream{icpi::RandomKey(1)};
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = answers; i > 1; --i) std::swap(questions.all[i - 1], questions.all[stream.index(i)]);
    std::size_t known = 0;
    measure("looked up and found", answers, [&] { known = look_up(*cache, questions.all, batch); });
    if (known == answers) continue;
    fmt::print(stderr, "{} of {} were found\n", known, answers);
    return 1;
  }
}
