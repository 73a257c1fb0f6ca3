// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "icpi/core/error.hpp"

namespace icpi::store {

/// What SQLite said, with its code.
class SqliteError : public Error {
 public:
  SqliteError(int code, const std::string& message) : Error(message), code_(code) {}
  /// The file itself is broken, as opposed to busy, full or out of reach.
  [[nodiscard]] bool damaged() const noexcept {
    return (code_ & 0xFF) == SQLITE_CORRUPT || (code_ & 0xFF) == SQLITE_NOTADB;
  }

  /// SQLite takes the file for read-only: by its permissions or by what its header says.
  [[nodiscard]] bool read_only() const noexcept { return (code_ & 0xFF) == SQLITE_READONLY; }

 private:
  int code_;
};

/// How a database is opened.
enum class Access : std::uint8_t {
  write,       ///< created where there is none
  read,        ///< others may write to it meanwhile
  read_frozen  ///< nobody writes to it meanwhile
};

/// An open database.
class Database {
 public:
  Database(const std::filesystem::path& file, std::chrono::milliseconds busy_timeout, Access access = Access::write);

  void execute(const char* sql);
  /// The first column of the first row; 0 without a row.
  [[nodiscard]] std::int64_t number(const char* sql);
  [[nodiscard]] std::string text(const char* sql);
  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
  [[noreturn]] void fail(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
  };
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement. Bound bytes must live until the next reset.
class Statement {
 public:
  Statement(Database& database, const char* sql);

  Statement& bind(int index, std::int64_t value);
  Statement& bind_blob(int index, std::string_view bytes);
  /// Whether there is a row.
  bool step();
  void reset() noexcept;
  /// Runs it to the end and resets it.
  void run();

  [[nodiscard]] std::int64_t integer(int column) const noexcept;
  /// Valid until the next step or reset.
  [[nodiscard]] std::string_view blob(int column) const noexcept;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace icpi::store
