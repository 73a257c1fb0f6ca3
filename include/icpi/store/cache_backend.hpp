// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/store is compiled: link icpi::store, which brings icpi::icpi, instead of icpi::header_only"
#else

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/models/completion_record.hpp"

namespace icpi::store {

/// Counters of one object since it was opened.
struct CacheStatistics {
  std::uint64_t hits = 0;     ///< answered from the cache
  std::uint64_t misses = 0;   ///< not there: the model is asked
  std::uint64_t stored = 0;   ///< entries added
  std::uint64_t evicted = 0;  ///< entries dropped for room
  std::uint64_t damaged = 0;  ///< checksum did not hold: dropped and asked again, or left out by for_each()
  std::uint64_t waits = 0;    ///< looks that found another worker asking: its answer was waited for
  std::uint64_t retaken = 0;  ///< misses that another worker had claimed, and did not answer in time

  /// In [0, 1]; 0 before the first question.
  [[nodiscard]] double hit_rate() const noexcept {
    return hits + misses == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(hits + misses);
  }
};

/// Where a completion cache keeps its answers: a file (CompletionStore), or a database that many machines share
/// (postgres::CompletionDatabase). Answers are known by fingerprint(request, identity of the model).
class CacheBackend {
 public:
  /// A request that is looked up.
  struct Question {
    RequestFingerprint key;                      ///< fingerprint(*request, model)
    std::string_view model;                      ///< identity of the model
    const CompletionRequest* request = nullptr;  ///< never null
  };

  /// How a request stands.
  enum class Standing : std::uint8_t {
    known,  ///< here is the answer
    ours,   ///< nobody has it: the caller must ask, and insert() what comes of it
    theirs  ///< another worker is asking: look again in a while
  };

  /// What was found.
  struct Finding {
    Standing standing = Standing::ours;  ///< how the request stands
    Completion completion{};             ///< the answer, if it is known
  };

  /// What came of a request.
  struct Answer {
    RequestFingerprint key;                  ///< of the request
    const Completion* completion = nullptr;  ///< never null
  };

  CacheBackend() = default;
  CacheBackend(const CacheBackend&) = delete;             ///< each is one place
  CacheBackend& operator=(const CacheBackend&) = delete;  ///< each is one place
  virtual ~CacheBackend() = default;

  /// Looks requests with different keys up, all at once; `findings` has as many places. What is `ours` stays so until
  /// insert() is told what came of it. Throws icpi::Error when the cache cannot be used.
  virtual void look_up(std::span<const Question> questions, std::span<Finding> findings) = 0;

  /// What came of requests. Errors are never kept: then others may ask. The first answer to a question stays. Throws as
  /// look_up(); then some may be kept.
  virtual void insert(std::span<const Answer> answers) = 0;

  /// Whether only the cache may be asked: what is not there counts as unanswerable, and is never `theirs`.
  [[nodiscard]] virtual bool require() const noexcept = 0;
  /// What people call it: a file, a database; without secrets.
  [[nodiscard]] virtual std::string name() const = 0;
  /// Answers that are there. Throws as look_up().
  [[nodiscard]] virtual std::uint64_t entries() = 0;
  /// What they take where they are kept. Throws as look_up().
  [[nodiscard]] virtual std::uint64_t bytes() = 0;
  /// Calls `visit` for every sound answer, in the order of their keys; damaged ones are counted, and left out as are
  /// answers of versions before 0.2, which are known by other keys. Throws as look_up(), and what `visit` throws.
  virtual void for_each(const std::function<void(const RequestFingerprint&, const Completion&)>& visit) = 0;
  /// Drops the answers that were not used for so long (uses are noted to the hour); how many. Nothing where only the cache
  /// may be asked. Throws as look_up().
  virtual std::uint64_t prune(std::chrono::seconds unused_for) = 0;
  /// What happened since it was opened.
  [[nodiscard]] virtual CacheStatistics statistics() const noexcept = 0;

 protected:
  CacheBackend(CacheBackend&&) noexcept = default;             ///< for classes that can be moved
  CacheBackend& operator=(CacheBackend&&) noexcept = default;  ///< for classes that can be moved
};

}  // namespace icpi::store

#endif
