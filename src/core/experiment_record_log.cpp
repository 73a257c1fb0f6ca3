// SPDX-License-Identifier: MIT
#include "icpi/experiment/record_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include "icpi/core/check_option.hpp"
#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/file_lock.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

LineReader::LineReader(int file, std::uint64_t offset, std::uint64_t end)
    : file_(file), buffer_(65536), read_(offset), at_(offset), end_(end) {}

bool LineReader::next(std::string& line) {
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

bool LineReader::fill() {
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

namespace {

std::string reason() { return std::generic_category().message(errno); }

}  // namespace

/// The open file, and what is known of it.
class RecordLog::File {
 public:
  File(const std::string& file, Durability durability) : name_(file) { set_durability(durability); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) close(number_);
  }

  void create(std::string_view header) {
    header_ = header;
    number_ = open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (number_ < 0) throw InvalidArgument(fmt::format("cannot create {}: {}", name_, reason()));
    lock();
    append(JsonLine{}.add("format", "icpi run log").add("version", version).add_raw("header", header).str());
    if (durability_ == Durability::power) sync_folder();
    first_size_ = recorded_end_ = size_;
  }

  void reopen() {
    number_ = open(name_.c_str(), O_RDWR | O_CLOEXEC);
    if (number_ < 0) throw InvalidArgument(fmt::format("cannot open {} for writing: {}", name_, reason()));
    lock();
    check();
  }

  void append(std::string_view record) {
    const std::lock_guard lock(mutex_);
    if (failed_) throw Error(fmt::format("{} cannot be written any more", name_));
    const std::string line = chain_.add(std::string(record)) + '\n';
    failed_ = true;
    write_all(line);
    if (durability_ == Durability::power && fsync(number_) != 0) fail("writing");
    struct stat status {};
    if (fstat(number_, &status) != 0) fail("looking at");
    if (status.st_nlink == 0) throw Error(fmt::format("{} was removed while it was written", name_));
    failed_ = false;
    size_ += line.size();
  }

  void set_durability(Durability durability) {
    check_option(durability <= Durability::power, "durability", static_cast<int>(durability), "process, power");
    durability_ = durability;
  }
  [[nodiscard]] const std::string& header() const noexcept { return header_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool locked() const noexcept { return locked_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] LineReader recorded() const { return {number_, first_size_, recorded_end_}; }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(fmt::format("{} {} failed: {}", what, name_, reason()));
  }

  void lock() {
    locked_ = flock(number_, LOCK_EX | LOCK_NB) == 0;
    if (locked_ || detail::lacks_locks(errno)) return;
    if (errno == EWOULDBLOCK) throw InvalidArgument(fmt::format("{} is in use by another process", name_));
    throw InvalidArgument(fmt::format("cannot lock {}: {}", name_, reason()));
  }

  void write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = write(number_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("writing");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void sync_folder() const {
    const std::filesystem::path file(name_);
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = opened >= 0 && fsync(opened) == 0;
    if (opened >= 0) close(opened);
    if (!synced) fail("writing");
  }

  /// Reads the whole file once; leaves the position for writing at the end of the last good line.
  void check() {
    struct stat status {};
    if (fstat(number_, &status) != 0) fail("looking at");
    const auto end = static_cast<std::uint64_t>(status.st_size);
    LineReader reader(number_, 0, end);
    std::string line;
    reader.next(line);
    if (!reader.complete() || !chain_.take(line))
      throw InvalidArgument(
          fmt::format("{}, offset 0: the first line is damaged or not whole: no run can be continued "
                      "from this file",
                      name_));
    read_header(line);
    first_size_ = size_ = reader.end();
    while (reader.next(line)) {
      if (!reader.complete() || !chain_.take(line)) {
        if (reader.end() < end) refuse(reader.begin());
        break;
      }
      size_ = reader.end();
    }
    dropped_ = end - size_;
    if (dropped_ > 0 && ftruncate(number_, static_cast<off_t>(size_)) != 0) fail("cutting");
    if (lseek(number_, static_cast<off_t>(size_), SEEK_SET) < 0) fail("looking at");
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
  Durability durability_{};
  std::string header_;
  int number_ = -1;
  std::mutex mutex_;
  bool failed_ = false;
  bool locked_ = false;
  detail::ChecksumChain chain_;
  std::uint64_t size_ = 0;
  std::uint64_t first_size_ = 0;
  std::uint64_t recorded_end_ = 0;
  std::uint64_t dropped_ = 0;
};

RecordLog::RecordLog(const std::string& file, std::string_view header, Durability durability)
    : file_(std::make_unique<File>(file, durability)) {
  file_->create(header);
}

RecordLog::RecordLog(const std::string& file, Durability durability) : file_(std::make_unique<File>(file, durability)) {
  file_->reopen();
}

RecordLog::~RecordLog() = default;

void RecordLog::append(std::string_view record) { file_->append(record); }

void RecordLog::set_durability(Durability durability) { file_->set_durability(durability); }

const std::string& RecordLog::header() const noexcept { return file_->header(); }

const std::string& RecordLog::name() const noexcept { return file_->name(); }

bool RecordLog::locked() const noexcept { return file_->locked(); }

std::uint64_t RecordLog::dropped() const noexcept { return file_->dropped(); }

LineReader RecordLog::recorded() const { return file_->recorded(); }

void RecordLog::for_each_recorded(const std::function<void(std::string_view)>& visit) const {
  LineReader reader = recorded();
  std::string line;
  while (reader.next(line)) visit(detail::checked_part(line));
}

}  // namespace icpi
