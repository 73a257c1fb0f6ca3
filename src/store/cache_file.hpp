// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "icpi/store/completion_store.hpp"
#include "sqlite.hpp"

namespace icpi::store {

inline constexpr std::int64_t application_id = 0x69637069;  // "icpi"

[[nodiscard]] std::filesystem::path with_suffix(std::filesystem::path file, std::string_view suffix);

/// Holds "FILE.lock" among processes while it lives, unless the file system has no locks.
class FileLock {
 public:
  /// Throws Error when the lock cannot be had, or not within `patience`.
  FileLock(const std::filesystem::path& file, std::chrono::milliseconds patience);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  int descriptor_;
  bool held_ = false;
};

/// Whether SQLite's header names icpi's caches, even if it is broken elsewhere.
[[nodiscard]] bool header_names_icpi(const std::filesystem::path& file);

/// Throws InvalidArgument for a folder, a pipe or a device: SQLite waits for ever for some, and takes others for empty.
void refuse_other_than_files(const std::filesystem::path& file);

/// 0: there is no such file.
[[nodiscard]] ino_t inode_of(const std::filesystem::path& file);

/// Moves a damaged file out of the way and tells of it.
void set_aside(const std::filesystem::path& file, const CacheOptions& options, const std::string& reason);

/// Opens a file that others may be writing to, or that nobody can write to. Writes nothing but what SQLite needs to share
/// a file that is being written. Throws SqliteError.
[[nodiscard]] Database open_read_only(const std::filesystem::path& file, std::chrono::milliseconds busy_timeout);

}  // namespace icpi::store
