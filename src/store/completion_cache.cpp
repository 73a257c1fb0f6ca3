// SPDX-License-Identifier: MIT
#include "icpi/store/completion_cache.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <system_error>

#include "cache_entry.hpp"
#include "cache_file.hpp"
#include "earlier_entry.hpp"
#include "sqlite.hpp"

namespace icpi::store {

namespace {

constexpr std::int64_t schema_version = 2;         // 1: may hold entries of versions before 0.2
constexpr std::int64_t coarse_use_seconds = 3600;  // uses closer together are not written down
constexpr std::size_t inserts_between_checks = 64;

// As they stand in sqlite_master too; those of a file are compared with them.
constexpr std::string_view table_sql =
    "completions (key BLOB PRIMARY KEY, record BLOB NOT NULL, checksum INTEGER NOT NULL, used INTEGER NOT NULL) "
    "WITHOUT "
    "ROWID";
constexpr std::string_view index_sql = "completions_by_use ON completions (used)";

}  // namespace

class CompletionStore::Implementation {
 public:
  explicit Implementation(CacheOptions options) : options_(std::move(options)) {
    if (options_.file.empty()) throw InvalidArgument("CacheOptions::file must be named");
    if (options_.max_bytes == 0) throw InvalidArgument("CacheOptions::max_bytes must be > 0");
    if (options_.require && options_.optional)
      throw InvalidArgument(
          "CacheOptions::optional does not go with require: without the cache there is nothing to ask");
    refuse_other_than_files(options_.file);
    or_without(0, [&] {
      options_.require ? open_to_read() : open_and_check();
      return 0;
    });
  }
  ~Implementation() {
    try {
      write_uses();
    } catch (const Error&) {  // only the order of eviction suffers
    }
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  /// With a request: also by the key that earlier versions gave it.
  std::optional<Completion> find(const RequestFingerprint& key, std::string_view model,
                                 const CompletionRequest* request) {
    auto found = or_without(std::optional<Completion>(), [&] {
      return repairing([&] {
        auto now = find_once(key.str());
        const bool looks_back = !now && request != nullptr && open_->holds_earlier;
        const auto earlier = looks_back ? earlier_key(model, *request) : std::nullopt;
        return earlier ? find_once(*earlier) : now;
      });
    });
    ++(found ? statistics_.hits : statistics_.misses);
    return found;
  }

  void insert(const RequestFingerprint& key, const Completion& completion) {
    if (completion.error || completion.finish == FinishReason::error || options_.require) return;
    or_without(0, [&] {
      insert_once(key.str(), completion_record(key, completion));
      return 0;
    });
  }

  std::uint64_t verify() {
    return repairing([&] { return drop_damaged(); });
  }
  std::uint64_t entries() {
    return repairing(
        [&] { return static_cast<std::uint64_t>(open_->database.number("SELECT count(*) FROM completions")); });
  }
  std::uint64_t bytes() {
    return repairing([&] { return used_bytes(); });
  }

  void for_each(const std::function<void(const RequestFingerprint&, const Completion&)>& visit) {
    Statement all(open_->database, "SELECT key, record, checksum FROM completions ORDER BY key");
    while (all.step()) {
      const std::string_view key = all.blob(0);
      if (all.integer(2) != checksum(key, all.blob(1))) {
        ++statistics_.damaged;
        continue;
      }
      if (key.size() != RequestFingerprint{}.str().size()) continue;  // of an earlier version
      if (const auto completion = read_entry(key, all.blob(1))) visit(icpi::detail::read_fingerprint(key), *completion);
    }
  }

  std::uint64_t prune(std::chrono::seconds unused_for) {
    if (options_.require) return 0;
    write_uses();
    return repairing([&] {
      Statement unused(open_->database, "DELETE FROM completions WHERE used < ?1");
      unused.bind(1, now() - unused_for.count());
      unused.run();
      return static_cast<std::uint64_t>(sqlite3_changes(open_->database.handle()));
    });
  }

  [[nodiscard]] const CacheOptions& options() const noexcept { return options_; }
  [[nodiscard]] CacheStatistics statistics() const noexcept { return statistics_; }

 private:
  struct Open {
    explicit Open(Database&& opened)
        : database(std::move(opened)),
          find(database, "SELECT record, checksum, used FROM completions WHERE key = ?1"),
          insert(database, "INSERT OR IGNORE INTO completions (key, record, checksum, used) VALUES (?1, ?2, ?3, ?4)"),
          remove(database, "DELETE FROM completions WHERE key = ?1 AND checksum = ?2"),
          use(database, "UPDATE completions SET used = ?2 WHERE key = ?1"),
          holds_earlier(database.number("PRAGMA user_version") < schema_version) {}
    Database database;
    Statement find;
    Statement insert;
    Statement remove;
    Statement use;
    bool holds_earlier;
  };

  /// Runs `action`; where the cache is optional and its file fails, the rest goes on without it.
  template <class Result, class Action>
  Result or_without(Result nothing, Action action) {
    if (given_up_) return nothing;
    try {
      return action();
    } catch (const InvalidArgument&) {
      throw;  // another kind of file was named: no failure
    } catch (const Error& error) {
      if (!options_.optional) throw;
      given_up_ = true;
      open_.reset();
      if (options_.notice) options_.notice(fmt::format("{}; going on without it", error.what()));
    }
    return nothing;
  }

  void insert_once(const std::string& key, const std::string& record) {
    if (inode_of(options_.file) != inode_) reopen();
    repairing([&] {
      Statement& insert = open_->insert;
      insert.bind_blob(1, key).bind_blob(2, record).bind(3, checksum(key, record)).bind(4, now());
      insert.run();
      return 0;
    });
    ++statistics_.stored;
    if (++inserts_ % inserts_between_checks == 0) repairing([&] { return evict(); });
  }

  static std::int64_t now() { return static_cast<std::int64_t>(std::time(nullptr)); }

  /// Why the file cannot be used; empty: it can.
  static std::string find_damage(Database& database) {
    const std::string verdict = database.text("PRAGMA quick_check(1)");
    return verdict == "ok" ? std::string() : verdict;
  }

  void check_owner(Database& database) const {
    const std::int64_t id = database.number("PRAGMA application_id");
    const std::int64_t version = database.number("PRAGMA user_version");
    const bool empty = database.number("SELECT count(*) FROM sqlite_master") == 0;
    if (id != application_id && !empty) {
      throw InvalidArgument(
          fmt::format("{} is a database of something else than icpi's cache", options_.file.string()));
    }
    if (id == application_id && version > schema_version) {
      throw InvalidArgument(fmt::format("completion cache {} was written by a newer icpi", options_.file.string()));
    }
    if (const std::string other = find_foreign_part(database); !other.empty()) {
      throw InvalidArgument(fmt::format("completion cache {} holds the {}, which icpi did not make; such files can act",
                                        options_.file.string(), other));
    }
  }

  /// What is neither the table nor the index of a cache: triggers and views are programs, which whoever the file is from
  /// could have written. Empty: nothing (statistics of SQLite's ANALYZE aside).
  static std::string find_foreign_part(Database& database) {
    return database.text(
        fmt::format("SELECT type || ' ' || name FROM sqlite_master WHERE sql NOT IN ('CREATE TABLE {}', 'CREATE INDEX "
                    "{}') AND name NOT GLOB 'sqlite_stat[0-9]' LIMIT 1",
                    table_sql, index_sql)
            .c_str());
  }

  static void create_tables(Database& database) {
    database.execute("PRAGMA journal_mode = WAL");
    database.execute("PRAGMA synchronous = NORMAL");
    database.execute("PRAGMA journal_size_limit = 16777216");
    database.execute(fmt::format("BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS {}; CREATE INDEX IF NOT EXISTS {};"
                                 "PRAGMA application_id = 0x69637069; COMMIT",
                                 table_sql, index_sql)
                         .c_str());
    if (database.number("PRAGMA user_version") == 0) database.execute("PRAGMA user_version = 2");
  }

  /// Whoever has the lock may be checking a large file.
  [[nodiscard]] std::chrono::milliseconds opening_patience() const { return 10 * options_.busy_timeout; }

  /// For replays: nothing is created, locked, repaired or noted.
  void open_to_read() {
    if (!std::filesystem::exists(options_.file))
      throw Error(fmt::format("completion cache {} does not exist", options_.file.string()));
    Database database = open_read_only(options_.file, options_.busy_timeout);
    check_owner(database);
    if (const std::string damage = find_damage(database); !damage.empty())
      throw Error(fmt::format("completion cache {} is damaged: {}", options_.file.string(), damage));
    if (database.number("SELECT count(*) FROM sqlite_master") ==
        0)  // whoever made it ended before the tables were there
      database.execute(fmt::format("PRAGMA temp_store = MEMORY; CREATE TEMP TABLE {}", table_sql).c_str());
    open_.emplace(std::move(database));
    inode_ = inode_of(options_.file);
  }

  void open_and_check() {
    const bool used_before = std::filesystem::exists(with_suffix(options_.file, ".lock"));
    const FileLock lock(options_.file, opening_patience());
    if (!lock.held() && options_.notice)
      options_.notice(fmt::format("completion cache {}: its file system has no locks: let one process at a time use it",
                                  options_.file.string()));
    const bool ours = used_before || header_names_icpi(options_.file);
    // A lock beside a file says that it was a cache: none is left beside one that never was.
    const auto refuse = [&](const std::string& reason) {
      std::error_code ignored;
      if (!used_before) std::filesystem::remove(with_suffix(options_.file, ".lock"), ignored);
      throw InvalidArgument(reason);
    };
    try {
      open_locked();
    } catch (const InvalidArgument& error) {
      refuse(error.what());
    } catch (const SqliteError& error) {
      const bool header_says_read_only = error.read_only() && access(options_.file.c_str(), W_OK) == 0;
      if (!error.damaged() && !header_says_read_only) throw;
      if (!ours) {
        refuse(fmt::format("{} is not a completion cache (nor any SQLite database)", options_.file.string()));
      }
      open_.reset();
      set_aside(options_.file, options_, error.what());
      open_locked();
    }
  }

  void open_locked() {
    Database database(options_.file, options_.busy_timeout);
    check_owner(database);
    if (const std::string damage = find_damage(database); !damage.empty()) throw SqliteError(SQLITE_CORRUPT, damage);
    create_tables(database);
    open_.emplace(std::move(database));
    inode_ = inode_of(options_.file);
    if (options_.verify_on_open) drop_damaged();
  }

  /// Runs `action`; when the file turns out to be damaged, once more on a new file.
  template <class Action>
  auto repairing(Action action) -> decltype(action()) {
    if (options_.require) return action();
    if (!open_) {  // opening it anew failed before
      const FileLock lock(options_.file, opening_patience());
      open_locked();
    }
    try {
      return action();
    } catch (const SqliteError& error) {
      if (!error.damaged()) throw;
      replace_damaged(error.what());
    }
    return action();
  }

  /// The file was removed or replaced, by whomever: what is written to the one that was opened nobody would find.
  void reopen() {
    const FileLock lock(options_.file, opening_patience());
    open_.reset();
    const bool removed = !std::filesystem::exists(options_.file);
    if (removed) {  // what is left of it would be played into the new one
      for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(with_suffix(options_.file, suffix));
    }
    open_locked();
    if (options_.notice) {
      options_.notice(
          fmt::format("completion cache {} was {}", options_.file.string(),
                      removed ? "removed; a new one was begun" : "replaced; its answers go to the new one"));
    }
  }

  void replace_damaged(const std::string& reason) {
    const FileLock lock(options_.file, opening_patience());
    open_.reset();
    // Another process may have set the file aside already.
    if (inode_of(options_.file) == inode_) set_aside(options_.file, options_, reason);
    open_locked();
  }

  std::optional<Completion> find_once(const std::string& key) {
    Statement& find = open_->find;
    find.bind_blob(1, key);
    if (!find.step()) {
      find.reset();
      return std::nullopt;
    }
    const std::string_view record = find.blob(0);
    const std::int64_t sum = find.integer(1);
    const std::int64_t used = find.integer(2);
    std::optional<Completion> completion;
    if (sum == checksum(key, record)) completion = read_entry(key, record);
    find.reset();
    if (!completion) {
      drop(key, sum);
    } else if (options_.require) {
      return completion;
    } else if (now() - used > coarse_use_seconds) {
      uses_.push_back(key);
      if (uses_.size() >= 256) write_uses();
    }
    return completion;
  }

  /// Only the row that was seen: another process may have stored a good one meanwhile.
  void drop(std::string_view key, std::int64_t sum) {
    if (!options_.require) {
      open_->remove.bind_blob(1, key).bind(2, sum);
      open_->remove.run();
    }
    ++statistics_.damaged;
    if (options_.notice) {
      options_.notice(fmt::format("completion cache {}: the checksum of an entry does not hold; it {}",
                                  options_.file.string(),
                                  options_.require ? "counts as missing" : "was dropped and will be asked again"));
    }
  }

  std::uint64_t drop_damaged() {
    std::vector<std::pair<std::string, std::int64_t>> damaged;
    Statement all(open_->database, "SELECT key, record, checksum FROM completions");
    while (all.step()) {
      const std::string_view key = all.blob(0);
      if (all.integer(2) != checksum(key, all.blob(1))) damaged.emplace_back(key, all.integer(2));
    }
    all.reset();
    for (const auto& [key, sum] : damaged) drop(key, sum);
    return damaged.size();
  }

  /// Where they cannot be written, only the order of eviction suffers.
  void write_uses() {
    if (uses_.empty() || !open_) return;
    try {
      open_->database.execute("BEGIN IMMEDIATE");
      for (const std::string& key : uses_) {
        open_->use.bind_blob(1, key).bind(2, now());
        open_->use.run();
      }
      open_->database.execute("COMMIT");
    } catch (const SqliteError& error) {
      if (sqlite3_get_autocommit(open_->database.handle()) == 0) open_->database.execute("ROLLBACK");
      if (error.damaged()) throw;
    }
    uses_.clear();
  }

  std::uint64_t used_bytes() {
    Database& database = open_->database;
    const std::int64_t pages = database.number("PRAGMA page_count") - database.number("PRAGMA freelist_count");
    return static_cast<std::uint64_t>(pages * database.number("PRAGMA page_size"));
  }

  std::uint64_t evict() {
    if (used_bytes() <= options_.max_bytes) return 0;
    write_uses();
    Database& database = open_->database;
    std::uint64_t evicted = 0;
    Statement oldest(database,
                     "DELETE FROM completions WHERE key IN (SELECT key FROM completions ORDER BY used, key LIMIT ?1)");
    while (used_bytes() > options_.max_bytes / 10 * 9) {
      const std::int64_t left = database.number("SELECT count(*) FROM completions");
      if (left <= 1) break;
      oldest.bind(1, std::max<std::int64_t>(1, left / 20));
      oldest.run();
      evicted += static_cast<std::uint64_t>(sqlite3_changes(database.handle()));
    }
    statistics_.evicted += evicted;
    return evicted;
  }

  const CacheOptions options_;
  std::optional<Open> open_;
  ino_t inode_ = 0;
  bool given_up_ = false;          ///< an optional file failed
  std::vector<std::string> uses_;  ///< entries used lately, not yet written down
  std::size_t inserts_ = 0;
  CacheStatistics statistics_;
};

CompletionStore::CompletionStore(CacheOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
CompletionStore::CompletionStore(CompletionStore&&) noexcept = default;
CompletionStore& CompletionStore::operator=(CompletionStore&&) noexcept = default;
CompletionStore::~CompletionStore() = default;

std::optional<Completion> CompletionStore::find(const RequestFingerprint& key) {
  return implementation_->find(key, {}, nullptr);
}
std::optional<Completion> CompletionStore::find(const RequestFingerprint& key, std::string_view model,
                                                const CompletionRequest& request) {
  return implementation_->find(key, model, &request);
}
void CompletionStore::look_up(std::span<const Question> questions, std::span<Finding> findings) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    auto found = find(questions[i].key, questions[i].model, *questions[i].request);
    findings[i].standing = found ? Standing::known : Standing::ours;
    if (found) findings[i].completion = *std::move(found);
  }
}
bool CompletionStore::require() const noexcept { return options().require; }
std::string CompletionStore::name() const { return options().file.string(); }
void CompletionStore::insert(const RequestFingerprint& key, const Completion& completion) {
  implementation_->insert(key, completion);
}
void CompletionStore::insert(std::span<const Answer> answers) {
  for (const Answer& each : answers) insert(each.key, *each.completion);
}
const CacheOptions& CompletionStore::options() const noexcept { return implementation_->options(); }
CacheStatistics CompletionStore::statistics() const noexcept { return implementation_->statistics(); }
std::uint64_t CompletionStore::verify() { return implementation_->verify(); }
std::uint64_t CompletionStore::entries() { return implementation_->entries(); }
std::uint64_t CompletionStore::bytes() { return implementation_->bytes(); }
void CompletionStore::for_each(const std::function<void(const RequestFingerprint&, const Completion&)>& visit) {
  implementation_->for_each(visit);
}
std::uint64_t CompletionStore::prune(std::chrono::seconds unused_for) { return implementation_->prune(unused_for); }

}  // namespace icpi::store
