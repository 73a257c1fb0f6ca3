// SPDX-License-Identifier: MIT
#include "icpi/postgres/completion_database.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "connection.hpp"
#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "statements.hpp"

namespace icpi::postgres {

namespace {

using store::CacheStatistics;

/// A name that no other worker has.
std::string new_claimant() {
  std::random_device entropy;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", entropy(), entropy(), entropy(), entropy());
}

}  // namespace

class CompletionDatabase::Implementation {
 public:
  explicit Implementation(DatabaseOptions options)
      : options_(std::move(options)),
        pool_((check(options_), options_.connection), options_.connections, options_.patience, options_.notice),
        claimant_(new_claimant()) {
    name_ = pool_.with_connection([&](Connection& connection) {
      check_schema(connection);
      return connection.name();
    });
    if (!options_.require) heart_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    if (heart_.joinable()) heart_.request_stop();
    if (!options_.require && claimed_) let_everything_go();
  }

  void look_up(std::span<const Question> questions, std::span<Finding> findings) {
    std::unordered_map<std::string, std::size_t> places;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      keys.push_back(questions[i].key.str());
      places.emplace(keys.back(), i);
      findings[i] = {Standing::theirs, {}};
    }
    if (keys.empty()) return;
    find(keys, places, findings);
    std::erase_if(keys, [&](const std::string& key) { return findings[places.at(key)].standing == Standing::known; });
    statistics_.hits += questions.size() - keys.size();
    if (keys.empty()) return;
    if (options_.require) {
      statistics_.misses += keys.size();
      for (const std::string& key : keys) findings[places.at(key)].standing = Standing::ours;
      return;
    }
    const std::size_t claimed = claim_missing(keys, places, findings);
    statistics_.misses += claimed;
    statistics_.waits += keys.size() - claimed;
  }

  void insert(std::span<const Answer> answers) {
    if (options_.require) return;
    std::vector<std::string> failed;
    std::vector<std::string> keys;
    std::vector<std::string> records;
    std::unordered_set<std::string> seen;
    for (const Answer& each : answers) {
      if (each.completion->error || each.completion->finish == FinishReason::error) {
        failed.push_back(each.key.str());
        continue;
      }
      std::string key = each.key.str();
      if (!seen.insert(key).second) continue;  // the first one stays
      keys.push_back(std::move(key));
      records.push_back(completion_record(each.key, *each.completion));
    }
    if (!keys.empty()) statistics_.stored += run(statements::keep, Parameters().add(keys).add_bytes(records)).changed();
    if (!failed.empty()) run(statements::let_go, Parameters().add(failed).add(claimant_));
  }

  std::uint64_t entries() {
    const Rows rows = run("SELECT count(*) FROM icpi_completions WHERE record IS NOT NULL", {});
    return static_cast<std::uint64_t>(rows.number(0, 0));
  }

  std::uint64_t bytes() {
    return static_cast<std::uint64_t>(run("SELECT pg_total_relation_size('icpi_completions')", {}).number(0, 0));
  }

  void for_each(const std::function<void(const RequestFingerprint&, const Completion&)>& visit) {
    for (std::string after;;) {
      const Rows rows = run(statements::next_page, Parameters().add(after));
      if (rows.size() == 0) return;
      for (int row = 0; row < rows.size(); ++row) {
        after = rows.text(row, 0);
        if (const auto answer = icpi::detail::find_answer(after, rows.text(row, 1)))
          visit(icpi::detail::read_fingerprint(after), *answer);
        else
          ++statistics_.damaged;
      }
    }
  }

  std::uint64_t prune(std::chrono::seconds unused_for) {
    if (options_.require) return 0;
    return run(statements::prune, Parameters().add(std::int64_t{unused_for.count()})).changed();
  }

  [[nodiscard]] const DatabaseOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] CacheStatistics statistics() const noexcept {
    CacheStatistics now;
    now.hits = statistics_.hits;
    now.misses = statistics_.misses;
    now.stored = statistics_.stored;
    now.damaged = statistics_.damaged;
    now.waits = statistics_.waits;
    now.retaken = statistics_.retaken;
    return now;
  }

 private:
  static void check(const DatabaseOptions& options) {
    check_connection(options.connection);
    check_option(options.connections > 0, "DatabaseOptions::connections", options.connections, "1 or more");
    constexpr std::chrono::milliseconds longest = std::chrono::hours(1);  // see statements::claim
    check_option(options.lease.count() > 0 && options.lease <= longest, "DatabaseOptions::lease", options.lease.count(),
                 "1 ms to 1 h");
    check_option(options.patience.count() >= 0, "DatabaseOptions::patience", options.patience.count(), "0 ms or more");
  }

  Rows run(const char* statement, const Parameters& parameters) {
    return pool_.with_connection([&](Connection& connection) { return connection.run(statement, parameters); });
  }

  /// Makes the tables; one worker does, others wait for it.
  void check_schema(Connection& connection) const {
    constexpr std::int64_t lock = 0x69637069;  // "icpi"
    connection.run("SELECT pg_advisory_lock($1::bigint)", Parameters().add(lock));
    if (connection.run("SELECT to_regclass('icpi_cache_schema') IS NULL").truth(0, 0)) {
      if (options_.require) throw InvalidArgument(fmt::format("{} holds no completion cache", connection.name()));
      connection.run("BEGIN");
      connection.run(statements::make_schema);
      connection.run(statements::make_answers);
      connection.run(statements::make_index);
      connection.run("INSERT INTO icpi_cache_schema VALUES ($1::bigint)",
                     Parameters().add(std::int64_t{schema_version}));
      connection.run("COMMIT");
    }
    const std::int64_t version = connection.run("SELECT max(version) FROM icpi_cache_schema").number(0, 0);
    connection.run("SELECT pg_advisory_unlock($1::bigint)", Parameters().add(lock));
    if (version != schema_version)
      throw InvalidArgument(fmt::format("the completion cache {} is of schema version {}, and this icpi uses {}",
                                        connection.name(), version, schema_version));
  }

  void find(const std::vector<std::string>& keys, const std::unordered_map<std::string, std::size_t>& places,
            std::span<Finding> findings) {
    const Rows rows = run(statements::find_answers, Parameters().add(keys));
    std::vector<std::string> used;
    for (int row = 0; row < rows.size(); ++row) {
      const std::string key(rows.text(row, 0));
      auto answer = icpi::detail::find_answer(key, rows.text(row, 1));
      if (!answer) {
        drop(key, rows.text(row, 1));
        continue;
      }
      findings[places.at(key)] = {Standing::known, *std::move(answer)};
      if (rows.truth(row, 2)) used.push_back(key);
    }
    if (!used.empty() && !options_.require) run(statements::note_uses, Parameters().add(used));
  }

  void drop(const std::string& key, std::string_view record) {
    ++statistics_.damaged;
    if (options_.notice)
      options_.notice(fmt::format("completion cache {}: the checksum of an entry does not hold; it {}", name_,
                                  options_.require ? "counts as missing" : "was dropped and will be asked again"));
    if (!options_.require) run(statements::drop_damaged, Parameters().add(key).add(record));
  }

  /// Takes what nobody else asks; returns how many.
  std::size_t claim_missing(const std::vector<std::string>& keys,
                            const std::unordered_map<std::string, std::size_t>& places, std::span<Finding> findings) {
    claimed_ = true;
    Parameters parameters;
    parameters.add(keys).add(claimant_).add(std::int64_t{++requests_}).add(std::int64_t{options_.lease.count()});
    const Rows rows = run(statements::claim, parameters);
    for (int row = 0; row < rows.size(); ++row) {
      findings[places.at(std::string(rows.text(row, 0)))].standing = Standing::ours;
      if (rows.number(row, 1) > 1) ++statistics_.retaken;
    }
    return static_cast<std::size_t>(rows.size());
  }

  /// Renews the claims three times within a lease. Where it cannot, they run out, and others ask.
  void beat(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    while (true) {
      std::unique_lock lock(mutex);
      if (stopped.wait_for(lock, stop, options_.lease / 3, [] { return false; }) || stop.stop_requested()) return;
      if (!claimed_) continue;
      try {
        if (!heart_connection_) heart_connection_.emplace(options_.connection);
        heart_connection_->run(statements::renew,
                               Parameters().add(claimant_).add(std::int64_t{options_.lease.count()}));
      } catch (const Error&) {
        heart_connection_.reset();
      }
    }
  }

  void let_everything_go() noexcept {
    try {
      if (heart_.joinable()) heart_.join();
      Connection(options_.connection).run(statements::let_all_go, Parameters().add(claimant_));
    } catch (const Error&) {  // the claims run out
    }
  }

  struct Counters {
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> misses{0};
    std::atomic<std::uint64_t> stored{0};
    std::atomic<std::uint64_t> damaged{0};
    std::atomic<std::uint64_t> waits{0};
    std::atomic<std::uint64_t> retaken{0};
  };

  const DatabaseOptions options_;
  Pool pool_;
  const std::string claimant_;
  std::string name_;
  std::atomic<std::int64_t> requests_{0};
  std::atomic<bool> claimed_{false};  ///< there may be claims
  Counters statistics_;
  std::optional<Connection> heart_connection_;  ///< of its own: no statement of others delays it
  std::jthread heart_;
};

CompletionDatabase::CompletionDatabase(DatabaseOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
CompletionDatabase::~CompletionDatabase() = default;

void CompletionDatabase::look_up(std::span<const Question> questions, std::span<Finding> findings) {
  implementation_->look_up(questions, findings);
}
void CompletionDatabase::insert(std::span<const Answer> answers) { implementation_->insert(answers); }
bool CompletionDatabase::require() const noexcept { return implementation_->options().require; }
std::string CompletionDatabase::name() const { return implementation_->name(); }
std::uint64_t CompletionDatabase::entries() { return implementation_->entries(); }
std::uint64_t CompletionDatabase::bytes() { return implementation_->bytes(); }
void CompletionDatabase::for_each(const std::function<void(const RequestFingerprint&, const Completion&)>& visit) {
  implementation_->for_each(visit);
}
std::uint64_t CompletionDatabase::prune(std::chrono::seconds unused_for) { return implementation_->prune(unused_for); }
store::CacheStatistics CompletionDatabase::statistics() const noexcept { return implementation_->statistics(); }

}  // namespace icpi::postgres
