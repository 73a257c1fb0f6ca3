// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire.hpp"

namespace icpi::http {

/// A file that lists servers: a base URL a line; blank lines, and what follows a '#', are for people.
/// Thread-safety: one object by one thread at a time.
class EndpointsFile {
 public:
  explicit EndpointsFile(std::string path) : path_(std::move(path)) {}

  /// What it lists, now known. Throws InvalidArgument naming file and line: what is no URL, or there twice; a file that
  /// cannot be read or lists nothing.
  std::vector<std::string> read();

  /// Looks at the file, at most once a second; what it lists, once it has changed and stayed so for a look, so that
  /// nobody reads a half. A file that is gone has not changed. Throws as read(), once for a change.
  std::optional<std::vector<std::string>> changed(Clock::time_point now);

 private:
  /// Two states of a file that are not told apart have the same contents.
  struct Stamp {
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] std::optional<Stamp> stamp() const;

  std::string path_;
  std::optional<Stamp> known_;
  std::optional<Stamp> seen_;
  Clock::time_point next_look_{};
};

}  // namespace icpi::http
