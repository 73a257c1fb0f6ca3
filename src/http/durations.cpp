// SPDX-License-Identifier: MIT
#include "durations.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <string>

#include <curl/curl.h>

namespace icpi::http {

namespace {

constexpr double earliest_date = 1e9;           // a plain number of seconds this large is a time since 1970
constexpr double earliest_milliseconds = 1e11;  // and this large, in milliseconds

double clock_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::optional<double> positive(double seconds) {
  return std::isfinite(seconds) && seconds > 0 ? std::optional(seconds) : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '"')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '"')) text.remove_suffix(1);
  return text;
}

/// The number at the beginning, which is taken away.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// Seconds in the unit at the beginning, which is taken away.
std::optional<double> take_unit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  for (const Unit& unit : {Unit{"ms", 1e-3}, Unit{"us", 1e-6}, Unit{"ns", 1e-9}, Unit{"s", 1}, Unit{"m", 60},
                           Unit{"h", 3600}, Unit{"d", 86400}}) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.seconds;
  }
  return std::nullopt;
}

/// "6m0s"; nullopt: something else.
std::optional<double> parse_units(std::string_view text) {
  double seconds = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text) : std::nullopt;
    if (!unit) return std::nullopt;
    seconds += *number * *unit;
  }
  return seconds;
}

/// Seconds since 1970 of "2026-11-26T01:02:03.5Z" or "2026-11-26T01:02:03+01:00".
std::optional<double> parse_rfc3339(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  auto seconds = static_cast<double>(timegm(&parts));
  if (*rest == '.') {
    std::string_view fraction(rest);
    std::size_t digits = 1;
    while (digits < fraction.size() && fraction[digits] >= '0' && fraction[digits] <= '9') ++digits;
    const std::string number = "0" + std::string(fraction.substr(0, digits));
    std::string_view view = number;
    seconds += take_number(view).value_or(0);
    rest += digits;
  }
  if (*rest == 'Z' || *rest == 'z') return seconds;
  int hours = 0;
  int minutes = 0;
  const std::string_view offset(rest);
  if (offset.size() != 6 || (offset[0] != '+' && offset[0] != '-')) return std::nullopt;
  std::from_chars(rest + 1, rest + 3, hours);
  std::from_chars(rest + 4, rest + 6, minutes);
  const int shift = (hours * 60 + minutes) * 60;
  return offset[0] == '+' ? seconds - shift : seconds + shift;
}

/// `now`: seconds since 1970.
std::optional<double> parse(std::string_view given, bool instants, double now) {
  const std::string_view text = trimmed(given);
  std::string_view rest = text;
  if (const auto number = take_number(rest); number && rest.empty()) {
    if (instants && *number >= earliest_milliseconds) return positive(*number / 1000 - now);
    if (instants && *number >= earliest_date) return positive(*number - now);
    return positive(*number);
  }
  if (const auto seconds = parse_units(text)) return positive(*seconds);
  const std::string copy(text);
  if (const auto instant = parse_rfc3339(copy)) return positive(*instant - now);
  const double date = parse_date(copy);
  return date > 0 ? positive(date - now) : std::nullopt;
}

}  // namespace

double parse_date(const std::string& text) {
  const std::time_t date = curl_getdate(text.c_str(), nullptr);
  return date > 0 ? static_cast<double>(date) : 0;
}

std::optional<double> parse_wait(std::string_view text, double told_now) {
  return parse(text, false, told_now > 0 ? told_now : clock_now());
}
std::optional<double> parse_reset(std::string_view text, double told_now) {
  return parse(text, true, told_now > 0 ? told_now : clock_now());
}

}  // namespace icpi::http
