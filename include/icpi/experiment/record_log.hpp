// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/file_lock.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

/// What a record survives once it was written.
enum class Durability : std::uint8_t {
  process,  ///< the process dying at any moment
  power     ///< a power cut too: every record waits for the disk
};

/// Reads the lines of an open file from an offset on. Keeps no position in the file itself.
class LineReader {
 public:
  /// Reads `file` from `offset` up to `end`.
  LineReader(int file, std::uint64_t offset, std::uint64_t end) : file_(file), read_(offset), at_(offset), end_(end) {}

  /// The next line, without its newline; false at the end. Throws Error when the file cannot be read.
  bool next(std::string& line) {
    line.clear();
    complete_ = false;
    begin_ = at_;
    while (!complete_) {
      if (first_ == last_ && !fill()) break;
      const std::string_view rest(buffer_.data() + first_, last_ - first_);
      const std::size_t size = std::min(rest.find('\n'), rest.size());
      line.append(rest.substr(0, size));
      complete_ = size < rest.size();
      first_ += size + (complete_ ? 1 : 0);
      at_ += size + (complete_ ? 1 : 0);
    }
    return at_ > begin_;
  }

  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }  ///< offset of the last line
  [[nodiscard]] std::uint64_t end() const noexcept { return at_; }       ///< offset behind it
  [[nodiscard]] bool complete() const noexcept { return complete_; }     ///< whether it had its newline

 private:
  bool fill() {
    if (read_ >= end_) return false;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), end_ - read_));
    ssize_t count = -1;
    do count = pread(file_, buffer_.data(), wanted, static_cast<off_t>(read_));
    while (count < 0 && errno == EINTR);
    if (count < 0) throw Error(fmt::format("reading failed: {}", std::generic_category().message(errno)));
    first_ = 0;
    last_ = static_cast<std::size_t>(count);
    read_ += last_;
    return count > 0;
  }

  int file_;
  std::vector<char> buffer_ = std::vector<char>(65536);
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  std::uint64_t read_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::uint64_t begin_ = 0;
  bool complete_ = false;
};

/// A file to which records are only added: one line of JSON each, ending in a checksum that also covers the line
/// before, so that a record that was changed, lost or moved is noticed. The first line names format and version.
///
/// A record is there once append() returned. What a dying process or a power cut leaves is a last line that is not
/// whole: it is cut off when the file is opened again. Any other damage is refused, naming file and offset.
/// One process at a time: the file is locked, unless its file system has no locks: see locked().
/// Thread-safety: append() may be called concurrently.
class RecordLog {
 public:
  static constexpr int version = 1;  ///< that this class writes, and the highest it reads

  /// Begins a log. `header`: a JSON object that is kept in the first line. Throws InvalidArgument when the file exists
  /// or cannot be created.
  RecordLog(const std::filesystem::path& file, std::string_view header, Durability durability)
      : name_(file.string()), durability_(durability), header_(header) {
    file_.number = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file_.number < 0) throw InvalidArgument(fmt::format("cannot create {}: {}", name_, reason()));
    lock();
    append(JsonLine{}.add("format", "icpi run log").add("version", version).add_raw("header", header).str());
    if (durability == Durability::power) sync_folder(file);
    first_size_ = recorded_end_ = size_;
  }

  /// Opens a log to go on with it: checks every line, and cuts off a last one that is not whole. Throws InvalidArgument
  /// when it cannot be opened, is in use by another process, is of a newer version, or is damaged.
  RecordLog(const std::filesystem::path& file, Durability durability) : name_(file.string()), durability_(durability) {
    file_.number = open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (file_.number < 0) throw InvalidArgument(fmt::format("cannot open {} for writing: {}", name_, reason()));
    lock();
    check();
  }

  RecordLog(const RecordLog&) = delete;
  RecordLog& operator=(const RecordLog&) = delete;

  /// Adds a record: a JSON object with members, on one line. Throws Error when it cannot be written; nothing can be
  /// added then, and what was recorded before stays.
  void append(std::string_view record) {
    const std::lock_guard lock(mutex_);
    if (failed_) throw Error(fmt::format("{} cannot be written any more", name_));
    std::string line = detail::with_checksum(std::string(record), checksum_);
    const std::uint64_t checksum = stated_checksum(line);
    line += '\n';
    failed_ = true;
    write_all(line);
    if (durability_ == Durability::power && fsync(file_.number) != 0) fail("writing");
    struct stat status {};
    if (fstat(file_.number, &status) != 0) fail("looking at");
    if (status.st_nlink == 0) throw Error(fmt::format("{} was removed while it was written", name_));
    failed_ = false;
    size_ += line.size();
    checksum_ = checksum;
  }

  /// From now on. Not while records are added.
  void set_durability(Durability durability) noexcept { durability_ = durability; }

  /// As given when the log was begun.
  [[nodiscard]] const std::string& header() const noexcept { return header_; }
  /// Its path.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Whether other processes are kept out. Not where the file system has no locks: the caller must see to it.
  [[nodiscard]] bool locked() const noexcept { return locked_; }
  /// Bytes that were cut off when it was opened: a record that was not whole.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  /// A reader of the records that were there when the log was opened, first line aside.
  [[nodiscard]] LineReader recorded() const { return {file_.number, first_size_, recorded_end_}; }

  /// Calls `visit(record)` for those records, without their checksums. Throws as LineReader.
  void for_each_recorded(const std::function<void(std::string_view)>& visit) const {
    LineReader reader = recorded();
    std::string line;
    while (reader.next(line)) visit(detail::checked_part(line));
  }

 private:
  struct OpenFile {
    OpenFile() = default;
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
      if (number >= 0) close(number);
    }
    int number = -1;
  };

  static std::string reason() { return std::generic_category().message(errno); }

  [[noreturn]] void fail(std::string_view what) const {
    throw Error(fmt::format("{} {} failed: {}", what, name_, reason()));
  }

  static std::uint64_t stated_checksum(std::string_view line) {
    std::uint64_t value = 0;
    const char* const digits = line.data() + line.size() - 2 - 16;
    std::from_chars(digits, digits + 16, value, 16);
    return value;
  }

  void lock() {
    locked_ = flock(file_.number, LOCK_EX | LOCK_NB) == 0;
    if (locked_ || detail::lacks_locks(errno)) return;
    if (errno == EWOULDBLOCK) throw InvalidArgument(fmt::format("{} is in use by another process", name_));
    throw InvalidArgument(fmt::format("cannot lock {}: {}", name_, reason()));
  }

  void write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = write(file_.number, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("writing");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void sync_folder(const std::filesystem::path& file) const {
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = opened >= 0 && fsync(opened) == 0;
    if (opened >= 0) close(opened);
    if (!synced) fail("writing");
  }

  /// Reads the whole file once; leaves the position for writing at the end of the last good line.
  void check() {
    struct stat status {};
    if (fstat(file_.number, &status) != 0) fail("looking at");
    const auto end = static_cast<std::uint64_t>(status.st_size);
    LineReader reader(file_.number, 0, end);
    std::string line;
    reader.next(line);
    if (!reader.complete() || !detail::checksum_holds(line))
      throw InvalidArgument(
          fmt::format("{}, offset 0: the first line is damaged or not whole: no run can be continued "
                      "from this file",
                      name_));
    read_header(line);
    first_size_ = size_ = reader.end();
    checksum_ = stated_checksum(line);
    while (reader.next(line)) {
      if (!reader.complete() || !detail::checksum_holds(line, checksum_)) {
        if (reader.end() < end) refuse(reader.begin());
        break;
      }
      checksum_ = stated_checksum(line);
      size_ = reader.end();
    }
    dropped_ = end - size_;
    if (dropped_ > 0 && ftruncate(file_.number, static_cast<off_t>(size_)) != 0) fail("cutting");
    if (lseek(file_.number, static_cast<off_t>(size_), SEEK_SET) < 0) fail("looking at");
    recorded_end_ = size_;
  }

  void read_header(std::string_view line) {
    try {
      const Json json = Json::parse(line);
      if (json["format"].string() != "icpi run log") throw InvalidArgument("it names another format");
      const int found = json["version"].integer<int>();
      if (found > version)
        throw InvalidArgument(fmt::format("it is of version {}, and this icpi reads up to {}", found, version));
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("{} cannot be continued: {}", name_, error.what()));
    }
    constexpr std::string_view before = ",\"header\":";
    const auto part = detail::checked_part(line);
    header_ = part.substr(std::min(part.find(before) + before.size(), part.size()));
  }

  [[noreturn]] void refuse(std::uint64_t offset) const {
    throw InvalidArgument(fmt::format(
        "{}, offset {}: the record is damaged, and more follow it; what precedes it is sound, and `truncate "
        "--size={} '{}'` goes back to there",
        name_, offset, offset, name_));
  }

  std::string name_;
  Durability durability_;
  std::string header_;
  OpenFile file_;
  std::mutex mutex_;
  bool failed_ = false;
  bool locked_ = false;
  std::uint64_t checksum_ = detail::fnv1a_basis;
  std::uint64_t size_ = 0;
  std::uint64_t first_size_ = 0;
  std::uint64_t recorded_end_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace icpi
