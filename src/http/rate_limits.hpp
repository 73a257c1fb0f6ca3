// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport.hpp"

namespace icpi::http {

/// What a request takes of a server's limits. Servers count the limit of the answer that is sent, not what is written.
struct Demand {
  double prompt_tokens = 0;      ///< estimated
  double completion_tokens = 0;  ///< the limit

  /// All of them, at least 1.
  [[nodiscard]] std::uint64_t tokens() const noexcept {
    return 1 + static_cast<std::uint64_t>(prompt_tokens + completion_tokens);
  }
};

/// What is left of a server's limits of requests and tokens, as the headers of its answers tell:
/// x-ratelimit-{limit,remaining,reset}-{requests,tokens}, anthropic-ratelimit-{requests,tokens,...}-{...} and their kin.
class RateLimits {
 public:
  /// Learns from an answer's headers, of which the date counts for those behind it.
  void learn(const std::vector<std::pair<std::string, std::string>>& headers, Clock::time_point now);
  /// A request leaves.
  void take(const Demand& demand);

  /// When a request may leave, and which limit it waits for.
  struct Opening {
    Clock::time_point at;
    std::string limit;
  };
  /// nullopt: at once.
  [[nodiscard]] std::optional<Opening> opening(const Demand& demand, Clock::time_point now) const;

 private:
  /// One limit: a bucket that fills up until `full`.
  struct Limit {
    std::string name;  ///< "tokens", "requests", "input-tokens", ...
    std::optional<double> left;
    double size = 0;  ///< 0: not told
    Clock::time_point told;
    Clock::time_point full;
  };

  static double share(const Limit& limit, const Demand& demand);
  Limit& find(const std::string& name);

  std::vector<Limit> limits_;
};

}  // namespace icpi::http
