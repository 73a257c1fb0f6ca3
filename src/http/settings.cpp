// SPDX-License-Identifier: MIT
#include "settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "icpi/core/error.hpp"

namespace icpi::http {

namespace {

std::string read_key(const std::string& variable) {
  if (variable.empty()) return {};
  const char* value = std::getenv(variable.c_str());
  std::string key = value == nullptr ? "" : value;
  const bool printable = std::all_of(key.begin(), key.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (!printable) throw InvalidArgument("http: the API key holds blanks or control characters");
  return key;
}

std::string read_file(const RequestSetting& setting) {
  std::ifstream in(setting.file);
  std::string line;
  if (!std::getline(in, line))
    throw InvalidArgument(fmt::format("http: the file for '{}' cannot be read", setting.name));
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string read_value(const RequestSetting& setting, std::vector<std::string>& secrets) {
  std::string value = setting.value;
  if (!setting.env.empty()) {
    const char* found = std::getenv(setting.env.c_str());
    if (found == nullptr)
      throw InvalidArgument(fmt::format("http: the environment variable for '{}' is not set", setting.name));
    value = found;
  }
  if (!setting.file.empty()) value = read_file(setting);
  if (!setting.env.empty() || !setting.file.empty()) secrets.push_back(value);
  const bool control = std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (control) throw InvalidArgument(fmt::format("http: the value of '{}' holds control characters", setting.name));
  return value;
}

/// As a part of a URL (RFC 3986, section 2.3).
std::string encoded(std::string_view text) {
  constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char c : text) {
    if (unreserved.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return result;
}

constexpr std::string_view anthropic_version = "anthropic-version";

bool names_header(const std::vector<RequestSetting>& headers, std::string_view name) {
  const auto same = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
  return std::any_of(headers.begin(), headers.end(), [&](const RequestSetting& each) {
    return std::equal(each.name.begin(), each.name.end(), name.begin(), name.end(), same);
  });
}

}  // namespace

WireSettings read_settings(const Options& options) {
  WireSettings settings;
  const RequestShape& request = options.request;
  const bool anthropic = options.dialect == Dialect::anthropic;
  if (const std::string key = read_key(options.api_key_env); !key.empty()) {
    settings.secrets.push_back(key);
    const std::string header =
        request.api_key_header.empty() && anthropic ? std::string("x-api-key") : request.api_key_header;
    settings.headers.push_back(header.empty() ? "Authorization: Bearer " + key : header + ": " + key);
  }
  if (anthropic && !names_header(request.headers, anthropic_version))
    settings.headers.push_back(std::string(anthropic_version) + ": 2023-06-01");
  for (const RequestSetting& header : request.headers)
    settings.headers.push_back(header.name + ": " + read_value(header, settings.secrets));
  for (const RequestSetting& part : request.query) {
    const std::string value = encoded(read_value(part, settings.secrets));
    settings.query += (settings.query.empty() ? "?" : "&") + encoded(part.name) + "=" + value;
    if (part.value.empty()) settings.secrets.push_back(value);
  }
  std::erase(settings.secrets, "");
  std::sort(settings.secrets.begin(), settings.secrets.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return settings;
}

}  // namespace icpi::http
