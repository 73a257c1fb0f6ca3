// SPDX-License-Identifier: MIT
#include "icpi/core/checked_lines.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "icpi/core/error.hpp"

namespace icpi::detail {

CheckedLines::CheckedLines(const std::string& file, std::string name, LineOrder order)
    : name_(std::move(name)), order_(order), in_(file, std::ios::binary) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw InvalidArgument(fmt::format("{} cannot be read: it is a folder", name_));
  if (!in_) throw InvalidArgument(fmt::format("{} cannot be read", name_));
}

std::optional<Json> CheckedLines::next() {
  ++number_;
  if (!std::getline(in_, line_) || in_.eof()) return std::nullopt;
  if (order_ == LineOrder::free) chain_ = {};
  if (!chain_.take(line_)) refuse("the checksum does not fit");
  return at_line([&] { return std::optional(Json::parse(line_)); });
}

void CheckedLines::refuse(std::string_view why) const {
  throw InvalidArgument(fmt::format("{}, line {}: {}", name_, number_, why));
}

}  // namespace icpi::detail
