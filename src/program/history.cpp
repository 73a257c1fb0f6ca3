// SPDX-License-Identifier: MIT
#include "history.hpp"

#include "icpi/core/hash.hpp"
#include "run_directory.hpp"

namespace icpi::program {

HistoryFile::HistoryFile(const std::string& file) : name_(fmt::format("--history '{}'", file)) {
  std::string text;
  try {
    text = read_file(file);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", name_, error.what()));
  }
  checksum_ = fmt::format("{:016x}", detail::fnv1a(text));
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    ++number;
    try {
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) lines_.emplace_back(number, Json::parse(line));
    } catch (const InvalidArgument& error) {
      refuse(number, error.what());
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (lines_.empty()) throw InvalidArgument(fmt::format("{}: there is no transition in it", name_));
}

void HistoryFile::for_each(const std::function<void(const Json&)>& read) const {
  for (const auto& [number, line] : lines_) {
    try {
      read(line);
    } catch (const InvalidArgument& error) {
      refuse(number, error.what());
    }
  }
}

void HistoryFile::refuse(std::size_t line, std::string_view why) const {
  throw InvalidArgument(fmt::format("{}, line {}: {}", name_, line, why));
}

}  // namespace icpi::program
