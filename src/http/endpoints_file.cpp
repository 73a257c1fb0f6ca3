// SPDX-License-Identifier: MIT
#include "endpoints_file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "icpi/core/error.hpp"
#include "url.hpp"

namespace icpi::http {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view blanks = " \t\r";

/// The line without what is for people.
std::string_view address_in(std::string_view line) {
  line = line.substr(0, line.find('#'));
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  return line.substr(0, line.find_last_not_of(blanks) + 1);
}

}  // namespace

std::optional<EndpointsFile::Stamp> EndpointsFile::stamp() const {
  struct stat status {};
  if (stat(path_.c_str(), &status) != 0) return std::nullopt;
  return Stamp{status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

std::vector<std::string> EndpointsFile::read() {
  known_ = seen_ = stamp();
  std::ifstream in(path_);
  if (!in) throw InvalidArgument(fmt::format("endpoints {}: the file cannot be read", path_));
  std::vector<std::string> urls;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const std::string_view address = address_in(line);
    if (address.empty()) continue;
    try {
      const std::string url = parse_base_url(address).text();
      if (std::find(urls.begin(), urls.end(), url) != urls.end()) throw InvalidArgument(url + " is there twice");
      urls.push_back(url);
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("endpoints {}, line {}: {}", path_, number, error.what()));
    }
  }
  if (urls.empty()) throw InvalidArgument(fmt::format("endpoints {}: it lists no server", path_));
  return urls;
}

std::optional<std::vector<std::string>> EndpointsFile::changed(Clock::time_point now) {
  if (now < next_look_) return std::nullopt;
  next_look_ = now + 1s;
  const auto present = stamp();
  const bool stayed = present == seen_;
  seen_ = present;
  if (!present || present == known_ || !stayed) return std::nullopt;
  return read();
}

}  // namespace icpi::http
