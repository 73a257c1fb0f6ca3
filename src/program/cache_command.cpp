// SPDX-License-Identifier: MIT
#include "cache_command.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <utility>

#include "cache_database.hpp"
#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/store/completion_store.hpp"
#include "printable.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

using store::CacheBackend;

/// Opens a cache. `exists`: it must be there; `reads`: nothing is written to it.
std::shared_ptr<CacheBackend> open_cache(const std::string& cache, bool exists, bool reads) {
  if (names_database(cache)) {
    ModelChoice choice;
    choice.cache = cache;
    choice.require_cache = exists && reads;
    return open_database(choice);
  }
  if (exists && !std::filesystem::exists(cache)) throw InvalidArgument(fmt::format("there is no cache '{}'", cache));
  store::CacheOptions options;
  options.file = cache;
  options.require = reads;
  options.verify_on_open = !reads;
  options.notice = [](std::string_view text) { tell(text); };
  return std::make_shared<store::CompletionStore>(std::move(options));
}

/// Hands answers to a cache, many at a time.
class Insertion {
 public:
  explicit Insertion(CacheBackend& into) : into_(&into) {}

  void add(const RequestFingerprint& key, const Completion& completion) {
    constexpr std::size_t most = 256;
    kept_.emplace_back(key, completion);
    if (kept_.size() == most) flush();
  }
  void flush() {
    std::vector<CacheBackend::Answer> answers;
    for (const auto& [key, completion] : kept_) answers.push_back({key, &completion});
    if (!answers.empty()) into_->insert(answers);
    kept_.clear();
  }

 private:
  CacheBackend* into_;
  std::vector<std::pair<RequestFingerprint, Completion>> kept_;
};

/// Whether the file is one that export wrote.
bool is_export(const std::string& file) {
  constexpr std::string_view beginning = R"({"request":")";
  if (!std::filesystem::is_regular_file(file)) return false;
  std::ifstream in(file, std::ios::binary);
  std::string begins(beginning.size(), ' ');
  return in.read(begins.data(), static_cast<std::streamsize>(begins.size())) && begins == beginning;
}

/// Reads all answers of a cache. Returns how many were left out because they are damaged.
std::uint64_t read_cache(CacheBackend& cache,
                         const std::function<void(const RequestFingerprint&, const Completion&)>& visit) {
  cache.for_each(visit);
  return cache.statistics().damaged;
}

/// Throws Error when answers were left out.
void complain_of_damage(std::uint64_t damaged) {
  if (damaged > 0) throw Error(fmt::format("{} damaged answers were left out; the rest is there", damaged));
}

void read_export(const std::string& file, Insertion& into) {
  std::ifstream in(file, std::ios::binary);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    try {
      const RecordedCompletion answer = read_completion_record(line);
      into.add(answer.request, answer.completion);
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("{}, line {}: {}", file, number, error.what()));
    }
  }
}

}  // namespace

void cache_info(const CacheArguments& arguments, std::ostream& out) {
  const auto cache = open_cache(arguments.cache, true, true);
  fmt::print(out, "cache    {}\nanswers  {}\nbytes    {}\n", printable_line(cache->name()), cache->entries(),
             cache->bytes());
}

void cache_merge(const CacheArguments& arguments, std::ostream& out) {
  for (const std::string& from : arguments.from) {
    if (from == arguments.cache) throw InvalidArgument(fmt::format("'{}' is both read and written", from));
    if (!is_export(from)) (void)open_cache(from, true, true);
  }
  const auto into = open_cache(arguments.cache, false, false);
  const std::uint64_t before = into->entries();
  Insertion insertion(*into);
  std::uint64_t damaged = 0;
  for (const std::string& from : arguments.from) {
    if (is_export(from))
      read_export(from, insertion);
    else
      damaged += read_cache(
          *open_cache(from, true, true),
          [&](const RequestFingerprint& key, const Completion& completion) { insertion.add(key, completion); });
  }
  insertion.flush();
  const std::uint64_t after = into->entries();
  fmt::print(out, "{} answers, {} of them new\n", after, after - before);
  complain_of_damage(damaged);
}

void cache_export(const CacheArguments& arguments, std::ostream& out) {
  if (arguments.out.empty() || std::filesystem::exists(arguments.out))
    throw InvalidArgument(fmt::format("--out '{}' is not allowed; expected the name of a new file", arguments.out));
  const auto cache = open_cache(arguments.cache, true, true);
  FreshFile file(arguments.out);
  std::uint64_t count = 0;
  const std::uint64_t damaged = read_cache(*cache, [&](const RequestFingerprint& key, const Completion& completion) {
    file.text().write(completion_record(key, completion) + '\n');
    ++count;
  });
  file.take_place();
  fmt::print(out, "{} answers\n", count);
  complain_of_damage(damaged);
}

void cache_prune(const CacheArguments& arguments, std::ostream& out) {
  constexpr std::size_t most_days = 36'500;
  const auto days = parse_count("--unused-for", arguments.unused_for, 1, most_days);
  const auto cache = open_cache(arguments.cache, true, false);
  const std::uint64_t dropped = cache->prune(std::chrono::hours(24 * days));
  fmt::print(out, "{} answers dropped, {} left\n", dropped, cache->entries());
}

}  // namespace icpi::program
