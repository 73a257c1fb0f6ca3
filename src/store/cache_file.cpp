// SPDX-License-Identifier: MIT
#include "cache_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "icpi/core/error.hpp"
#include "icpi/core/file_lock.hpp"

namespace icpi::store {

namespace {

constexpr std::size_t application_id_offset = 68;  // in SQLite's file header

/// Whether answers wait beside the file to be brought in.
bool has_log(const std::filesystem::path& file) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(with_suffix(file, "-wal"), absent);
  return !absent && size > 0;
}

}  // namespace

std::filesystem::path with_suffix(std::filesystem::path file, std::string_view suffix) {
  file += suffix;
  return file;
}

FileLock::FileLock(const std::filesystem::path& file, std::chrono::milliseconds patience)
    : descriptor_(open(with_suffix(file, ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (descriptor_ >= 0 && !held_) {
    held_ = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (held_ || errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= give_up) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (descriptor_ < 0 || (!held_ && !icpi::detail::lacks_locks(errno))) {
    const int problem = errno;  // EWOULDBLOCK: another process has it
    if (descriptor_ >= 0) close(descriptor_);
    throw Error(fmt::format("completion cache {}: cannot lock {}.lock: {}", file.string(), file.string(),
                            std::generic_category().message(problem)));
  }
}

FileLock::~FileLock() { close(descriptor_); }

bool header_names_icpi(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, application_id_offset + 4> header{};
  if (!in.read(header.data(), header.size())) return false;
  std::int64_t id = 0;
  for (std::size_t i = 0; i < 4; ++i) id = id << 8 | static_cast<unsigned char>(header[application_id_offset + i]);
  return id == application_id;
}

void refuse_other_than_files(const std::filesystem::path& file) {
  std::error_code unknown;  // opening it says more
  const auto status = std::filesystem::status(file, unknown);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw InvalidArgument(fmt::format("completion cache {}: it is no regular file", file.string()));
}

ino_t inode_of(const std::filesystem::path& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
}

void set_aside(const std::filesystem::path& file, const CacheOptions& options, const std::string& reason) {
  std::filesystem::path target;
  for (int number = 1; target.empty() || std::filesystem::exists(target); ++number) {
    target = with_suffix(file, fmt::format(".damaged-{}", number));
  }
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const auto from = with_suffix(file, suffix);
    if (std::filesystem::exists(from)) std::filesystem::rename(from, with_suffix(target, suffix));
  }
  if (options.notice) {
    options.notice(fmt::format("completion cache {} is damaged ({}); it was moved to {} and a new one was begun",
                               file.string(), reason, target.string()));
  }
}

Database open_read_only(const std::filesystem::path& file, std::chrono::milliseconds busy_timeout) {
  try {
    Database database(file, busy_timeout, Access::read);
    static_cast<void>(database.number("SELECT count(*) FROM sqlite_master"));
    return database;
  } catch (const SqliteError& error) {
    if (error.damaged() || has_log(file)) throw;
  }
  // No place for the files by which writers and readers share it: then nobody writes.
  return Database(file, busy_timeout, Access::read_frozen);
}

}  // namespace icpi::store
