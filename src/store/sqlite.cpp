// SPDX-License-Identifier: MIT
#include "sqlite.hpp"

#include <fmt/format.h>

namespace icpi::store {

namespace {

/// A file name as SQLite reads it from a URI, whatever characters it holds.
std::string frozen_uri(const std::filesystem::path& file) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.';
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return uri + "?immutable=1";
}

}  // namespace

Database::Database(const std::filesystem::path& file, std::chrono::milliseconds busy_timeout, Access access)
    : file_(file) {
  sqlite3* opened = nullptr;
  int flags = SQLITE_OPEN_NOMUTEX;
  flags |= access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  if (access == Access::read_frozen) flags |= SQLITE_OPEN_URI;
  const std::string name = access == Access::read_frozen ? frozen_uri(file) : file.string();
  const int code = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(handle_.get(), 1);
  sqlite3_busy_timeout(handle_.get(), static_cast<int>(busy_timeout.count()));
}

void Database::fail(int code) const {
  const char* words = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  throw SqliteError(code, fmt::format("completion cache {}: {}", file_.string(), words));
}

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Database::text(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? std::string(statement.blob(0)) : std::string();
}

Statement::Statement(Database& database, const char* sql) : database_(&database) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  handle_.reset(prepared);
  if (code != SQLITE_OK) database.fail(code);
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), index, value);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(handle_.get(), index, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  reset();
  database_->fail(code);
}

void Statement::reset() noexcept { sqlite3_reset(handle_.get()); }

void Statement::run() {
  while (step()) continue;
  reset();
}

std::int64_t Statement::integer(int column) const noexcept { return sqlite3_column_int64(handle_.get(), column); }

std::string_view Statement::blob(int column) const noexcept {
  const void* bytes = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

}  // namespace icpi::store
