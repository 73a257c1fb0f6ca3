// SPDX-License-Identifier: MIT
#include "rate_limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "durations.hpp"

namespace icpi::http {

namespace {

constexpr std::size_t most_limits = 16;  // of a server; more are none of ours

enum class Role : std::uint8_t { size, left, reset };

/// Takes `part` and the dash beside it out of `name`. Whether it was there.
bool take_out(std::string& name, std::string_view part) {
  std::size_t begin = name.find(part);
  if (begin == std::string::npos) return false;
  std::size_t end = begin + part.size();
  if (end < name.size() && name[end] == '-') {
    ++end;
  } else if (begin > 0 && name[begin - 1] == '-') {
    --begin;
  }
  name.erase(begin, end - begin);
  return true;
}

std::optional<double> parse_amount(std::string_view text) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && std::isfinite(amount);
  return whole ? std::optional(amount) : std::nullopt;
}

/// What a header tells, and in `name` of which limit.
std::optional<Role> role_of(std::string& name) {
  if (!take_out(name, "ratelimit")) return std::nullopt;
  take_out(name, "anthropic");
  if (name.starts_with("x-")) name.erase(0, 2);
  constexpr std::array<std::pair<std::string_view, Role>, 3> roles{
      {{"remaining", Role::left}, {"reset", Role::reset}, {"limit", Role::size}}};
  for (const auto& [word, role] : roles) {
    if (take_out(name, word)) return role;
  }
  return std::nullopt;
}

}  // namespace

RateLimits::Limit& RateLimits::find(const std::string& name) {
  const auto found = std::find_if(limits_.begin(), limits_.end(), [&](const Limit& each) { return each.name == name; });
  if (found != limits_.end()) return *found;
  limits_.emplace_back().name = name;
  return limits_.back();
}

void RateLimits::learn(const std::vector<std::pair<std::string, std::string>>& headers, Clock::time_point now) {
  double told_now = 0;
  for (const auto& [header, value] : headers) {
    if (header == "date") told_now = parse_date(value);
    std::string name = header;
    const auto role = role_of(name);
    if (!role || limits_.size() >= most_limits) continue;
    Limit& limit = find(name.empty() ? "requests" : name);
    limit.told = now;
    if (*role == Role::reset) limit.full = now + seconds_of(parse_reset(value, told_now).value_or(0));
    if (*role == Role::size) limit.size = parse_amount(value).value_or(0);
    if (*role == Role::left) limit.left = parse_amount(value);
  }
}

double RateLimits::share(const Limit& limit, const Demand& demand) {
  const auto has = [&](std::string_view word) { return limit.name.find(word) != std::string::npos; };
  if (has("output-token")) return demand.completion_tokens;
  if (has("input-token")) return demand.prompt_tokens;
  return has("token") ? demand.prompt_tokens + demand.completion_tokens : 1;
}

void RateLimits::take(const Demand& demand) {
  for (Limit& limit : limits_) {
    if (limit.left) *limit.left -= share(limit, demand);
  }
}

std::optional<RateLimits::Opening> RateLimits::opening(const Demand& demand, Clock::time_point now) const {
  std::optional<Opening> latest;
  for (const Limit& limit : limits_) {
    const double wanted = share(limit, demand);
    if (!limit.left || *limit.left >= wanted || limit.full <= now) continue;
    // Where the size is known, the bucket is taken to fill evenly; what is larger than it goes when it is full.
    const double empty = limit.size - *limit.left;
    const double part = limit.size > 0 && empty > 0 ? std::min(1.0, (wanted - *limit.left) / empty) : 1.0;
    const auto at = limit.told + seconds_of(in_seconds(limit.full - limit.told) * part);
    if (at > now && (!latest || at > latest->at)) latest = Opening{at, limit.name};
  }
  return latest;
}

}  // namespace icpi::http
