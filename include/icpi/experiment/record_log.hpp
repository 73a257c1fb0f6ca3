// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

#if defined(ICPI_HEADER_ONLY)
#error "icpi/experiment is compiled: link icpi::icpi instead of icpi::header_only"
#endif

namespace icpi {

/// What a record survives once it was written.
enum class Durability : std::uint8_t {
  process,  ///< the process dying at any moment
  power     ///< a power cut too: every record waits for the disk
};

/// Reads the lines of an open file from an offset on. Keeps no position in the file itself.
class ICPI_API LineReader {
 public:
  /// Reads `file` from `offset` up to `end`.
  LineReader(int file, std::uint64_t offset, std::uint64_t end);

  /// The next line, without its newline; false at the end. Throws Error when the file cannot be read.
  bool next(std::string& line);

  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }  ///< offset of the last line
  [[nodiscard]] std::uint64_t end() const noexcept { return at_; }       ///< offset behind it
  [[nodiscard]] bool complete() const noexcept { return complete_; }     ///< whether it had its newline

 private:
  bool fill();

  int file_;
  std::vector<char> buffer_;
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
class ICPI_API RecordLog {
 public:
  static constexpr int version = 1;  ///< that this class writes, and the highest it reads

  /// Begins a log at the path `file`. `header`: a JSON object that is kept in the first line. Throws InvalidArgument when
  /// the file exists or cannot be created.
  RecordLog(const std::string& file, std::string_view header, Durability durability);

  /// Opens a log to go on with it: checks every line, and cuts off a last one that is not whole. Throws InvalidArgument
  /// when it cannot be opened, is in use by another process, is of a newer version, or is damaged.
  RecordLog(const std::string& file, Durability durability);
  ~RecordLog();

  RecordLog(const RecordLog&) = delete;
  RecordLog& operator=(const RecordLog&) = delete;

  /// Adds a record: a JSON object with members, on one line. Throws Error when it cannot be written; nothing can be
  /// added then, and what was recorded before stays.
  void append(std::string_view record);

  /// From now on. Not while records are added. Throws InvalidArgument for what is none, as the constructors do.
  void set_durability(Durability durability);

  /// As given when the log was begun.
  [[nodiscard]] const std::string& header() const noexcept;
  /// Its path.
  [[nodiscard]] const std::string& name() const noexcept;
  /// Whether other processes are kept out. Not where the file system has no locks: the caller must see to it.
  [[nodiscard]] bool locked() const noexcept;
  /// Bytes that were cut off when it was opened: a record that was not whole.
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  /// A reader of the records that were there when the log was opened, first line aside.
  [[nodiscard]] LineReader recorded() const;

  /// Calls `visit(record)` for those records, without their checksums. Throws as LineReader.
  void for_each_recorded(const std::function<void(std::string_view)>& visit) const;

 private:
  class File;
  std::unique_ptr<File> file_;
};

}  // namespace icpi
