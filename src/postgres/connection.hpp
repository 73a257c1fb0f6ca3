// SPDX-License-Identifier: MIT
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"

namespace icpi::postgres {

/// The connection is gone, or could not be made: it may be tried again.
class ConnectionLost : public Error {
 public:
  using Error::Error;
};

/// Values for the places $1, $2, ... of a statement, in PostgreSQL's binary format.
class Parameters {
 public:
  Parameters& add(std::string_view text);                     ///< text, or bytea
  Parameters& add(std::int64_t number);                       ///< bigint
  Parameters& add(std::span<const std::string> texts);        ///< text[]
  Parameters& add_bytes(std::span<const std::string> texts);  ///< bytea[]

  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  [[nodiscard]] const std::vector<std::string>& values() const noexcept { return values_; }

 private:
  Parameters& add_array(std::span<const std::string> texts, std::uint32_t type);

  std::vector<std::string> values_;
};

/// Rows that a statement gave, in binary format.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}

  [[nodiscard]] int size() const noexcept { return PQntuples(result_.get()); }
  [[nodiscard]] std::string_view text(int row, int column) const noexcept;
  [[nodiscard]] std::int64_t number(int row, int column) const noexcept;  ///< of a bigint
  [[nodiscard]] bool truth(int row, int column) const noexcept;           ///< of a boolean
  /// Rows that the statement changed.
  [[nodiscard]] std::uint64_t changed() const noexcept;

 private:
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

/// Throws InvalidArgument for a connection's words that libpq cannot read, or that hold a password: command lines are read
/// by everybody on a machine.
void check_connection(const std::string& words);

/// One connection to a database.
class Connection {
 public:
  /// Throws ConnectionLost.
  explicit Connection(const std::string& words);

  /// Runs a statement. Throws ConnectionLost, and Error for what the database refuses.
  Rows run(const char* statement, const Parameters& parameters = {});
  /// "name at host".
  [[nodiscard]] std::string name() const;

 private:
  struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Finish> handle_;
};

/// Connections that threads share.
class Pool {
 public:
  /// `patience`: how long a lost connection is tried again; `notice` is told of it, once for each time.
  Pool(std::string words, std::size_t most, std::chrono::milliseconds patience,
       std::function<void(std::string_view)> notice);

  /// Calls `work(connection)`; again, with another connection, when the connection is lost. So what it does may be done
  /// twice. Throws what it throws, and Error when no connection can be had.
  template <class Work>
  auto with_connection(Work&& work) {
    const auto give_up = Clock::now() + patience_;
    for (int attempt = 0;; ++attempt) {
      try {
        Lent lent(*this);
        auto result = work(lent.connection());
        lent.keep();
        if (attempt > 0) tell("is reached again");
        return result;
      } catch (const ConnectionLost& error) {
        wait_again(attempt, give_up, error.what());
      }
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// A connection out of the pool; it goes back if it is kept, and is closed else.
  class Lent {
   public:
    explicit Lent(Pool& pool) : pool_(&pool), connection_(pool.take()) {}
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() { pool_->give_back(kept_ ? std::move(connection_) : nullptr); }
    [[nodiscard]] Connection& connection() {
      if (!connection_) connection_ = std::make_unique<Connection>(pool_->words_);
      return *connection_;
    }
    void keep() noexcept { kept_ = true; }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
    bool kept_ = false;
  };

  std::unique_ptr<Connection> take();
  void give_back(std::unique_ptr<Connection> connection);
  void wait_again(int attempt, Clock::time_point give_up, const std::string& reason);
  void tell(std::string_view what) const;

  std::string words_;
  std::size_t most_;
  std::chrono::milliseconds patience_;
  std::function<void(std::string_view)> notice_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t lent_ = 0;
};

}  // namespace icpi::postgres
