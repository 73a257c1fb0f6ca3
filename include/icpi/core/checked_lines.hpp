// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/json.hpp"

#if !defined(ICPI_HEADER_ONLY)  // of the compiled library only, as all that reads JSON

namespace icpi::detail {

/// Whether a checksum covers the lines before, too.
enum class LineOrder : std::uint8_t { free, chained };

/// Reads a file of JSON lines that end in checksums, from its beginning.
/// Thread-safety: one object by one thread at a time.
class ICPI_API CheckedLines {
 public:
  /// Opens `file`, a path, which messages call `name`. Throws InvalidArgument when it cannot be read.
  CheckedLines(const std::string& file, std::string name, LineOrder order);

  /// The next line; nullopt at the end. A last line without its newline was cut off while it was written and does not
  /// count. Throws InvalidArgument, naming file and line, when a checksum does not hold or a line is no JSON.
  [[nodiscard]] std::optional<Json> next();

  /// Whether nothing is left, not even a line that was cut off.
  [[nodiscard]] bool at_end() { return in_.peek() == std::ifstream::traits_type::eof(); }

  /// Throws InvalidArgument that says where: in the line that was read last.
  [[noreturn]] void refuse(std::string_view why) const;

  /// Calls `read(json)` for the lines that are left, until it returns false or none is left. What it throws as
  /// InvalidArgument is thrown with file and line.
  template <class Read>
  void for_each(Read read) {
    while (const std::optional<Json> line = next()) {
      if (!at_line([&] { return read(*line); })) return;
    }
  }

  /// Calls `action()`; what it throws as InvalidArgument is thrown with file and line.
  template <class Action>
  auto at_line(Action action) {
    try {
      return action();
    } catch (const InvalidArgument& error) {
      refuse(error.what());
    }
  }

 private:
  std::string name_;
  LineOrder order_;
  std::ifstream in_;
  std::string line_;
  std::size_t number_ = 0;
  ChecksumChain chain_;
};

}  // namespace icpi::detail

#endif
