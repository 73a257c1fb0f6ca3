// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/postgres is compiled: link icpi::postgres, which brings icpi::icpi, instead of icpi::header_only"
#else

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "icpi/store/cache_backend.hpp"

namespace icpi::postgres {

/// Where the database is, and how workers share it.
struct DatabaseOptions {
  /// As libpq takes it: "postgresql://host/name", "service=answers". TLS and passwords are libpq's matter (sslmode,
  /// ~/.pgpass, PGPASSFILE, a service file); one with a password in it is refused.
  std::string connection;
  std::size_t connections = 4;  ///< at most, kept open and shared by the threads of this process. > 0
  /// How long a request is this worker's alone; renewed while the worker lives. 1 ms to 1 h.
  std::chrono::milliseconds lease{30000};
  std::chrono::milliseconds patience{60000};  ///< how long a lost connection is tried again. >= 0
  /// Answer from the cache alone; see store::CacheOptions. Nothing is written.
  bool require = false;
  /// Told, in one line, about entries that were damaged and connections that were lost; by any thread.
  std::function<void(std::string_view)> notice;
};

/// Completions in a PostgreSQL database that many machines share: a worker that asks a question has a claim to it, and
/// the others wait for its answer. Claims are renewed in the background while the worker lives. One that died, or could
/// not reach the database for longer than its lease, loses them, and another worker asks again (CacheStatistics::retaken).
///
/// A connection that is lost is made anew; what was under way is repeated, which changes nothing that was done already.
/// When that fails for longer than `patience`, icpi::Error says so, and a run stops where it can be resumed.
/// The tables are made when there are none: completions, and the version of their schema.
/// Thread-safety: members may be called concurrently.
class CompletionDatabase final : public store::CacheBackend {
 public:
  static constexpr int schema_version = 1;  ///< that this class makes, and the only one it uses

  /// Connects. Throws InvalidArgument for options that make no sense and for a database of another schema version, and
  /// icpi::Error when it cannot be reached.
  explicit CompletionDatabase(DatabaseOptions options);
  CompletionDatabase(const CompletionDatabase&) = delete;             ///< it has claims
  CompletionDatabase& operator=(const CompletionDatabase&) = delete;  ///< it has claims
  /// Gives all claims up.
  ~CompletionDatabase() override;

  /// See CacheBackend; two statements for any number of questions.
  void look_up(std::span<const Question> questions, std::span<Finding> findings) override;
  /// See CacheBackend.
  void insert(std::span<const Answer> answers) override;
  /// See DatabaseOptions.
  [[nodiscard]] bool require() const noexcept override;
  /// The database and its host.
  [[nodiscard]] std::string name() const override;
  /// Answers that are there.
  [[nodiscard]] std::uint64_t entries() override;
  /// Of the table and its indexes.
  [[nodiscard]] std::uint64_t bytes() override;
  /// See CacheBackend.
  void for_each(const std::function<void(const RequestFingerprint&, const Completion&)>& visit) override;
  /// See CacheBackend.
  std::uint64_t prune(std::chrono::seconds unused_for) override;
  /// What happened in this object.
  [[nodiscard]] store::CacheStatistics statistics() const noexcept override;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace icpi::postgres

#endif
