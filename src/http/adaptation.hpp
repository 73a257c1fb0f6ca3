// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "body.hpp"
#include "icpi/concepts/language_model.hpp"
#include "server_words.hpp"

namespace icpi::http {

/// What servers refused. Thread-safe.
class LearnedRequest {
 public:
  /// Grows with everything that is learned.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
  /// `shape`, and what was learned.
  [[nodiscard]] BodyShape applied_to(BodyShape shape) const;
  /// Whether nobody was told this line before; from now on somebody was.
  bool is_news(const std::string& line);
  /// False: known already.
  bool leave_out(const std::string& field);
  /// False: known already.
  bool rename(const std::string& field, const std::string& name);

 private:
  mutable std::mutex mutex_;
  std::atomic<std::uint64_t> version_{0};
  std::set<std::string> told_;
  std::vector<std::string> omitted_;
  std::vector<std::pair<std::string, std::string>> renamed_;
};

/// What a server's refusal of a field comes to.
struct Refusal {
  std::string field;     ///< as it was sent
  std::string other;     ///< the name by which it is sent from now on; empty: by none
  bool belongs = false;  ///< it belongs to what was asked: nothing can be done without asking the user
};

/// Which of the fields in `body` (JSON, as sent) a server refuses in these words; nullopt: none that could be told.
[[nodiscard]] std::optional<Refusal> find_refusal(const ServerWords& words, const std::string& body,
                                                  const BodyShape& shape, const CompletionRequest& request);

}  // namespace icpi::http
