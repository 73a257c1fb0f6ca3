// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/store is compiled: link icpi::store, which brings icpi::icpi, instead of icpi::header_only"
#else

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/store/cache_backend.hpp"

namespace icpi::store {

/// Where answers are kept and for how long.
struct CacheOptions {
  std::filesystem::path file;  ///< an SQLite database; its folder exists
  /// The file is kept about this small: the entries that were not used for longest go. > 0.
  std::uint64_t max_bytes = std::uint64_t{4} << 30U;
  /// Answer from the cache alone; what is not there becomes an `invalid_request` and nothing is asked. Nothing is written
  /// either: the file may be somebody else's, or on a medium that takes no writes. It must exist.
  bool require = false;
  /// Go on without the cache when the file cannot be used (disk full, locked, read-only, gone): `notice` is told once, and
  /// from then on nothing is found and nothing kept. Off: that is an error. Not together with `require`.
  bool optional = false;
  /// Check every entry's checksum when the file is opened, about 10 s per GiB; off: each when it is read.
  bool verify_on_open = true;
  std::chrono::milliseconds busy_timeout{30000};  ///< how long to wait for other processes
  /// Told, in one line, about damage: a file that was set aside, an entry that was dropped; and about a file that cannot
  /// be used any more, where it is optional.
  std::function<void(std::string_view)> notice;
};

/// The file. Answers are known by fingerprint(request, identity of the model). An answer is durable once insert returned: it survives the process being killed; a power cut may take the
/// last ones, never the file.
/// Several processes may use one file at once; "FILE.lock" beside it orders opening and setting aside.
/// Failures of the file system (disk full, no permission, locked for longer than busy_timeout) throw icpi::Error, unless
/// the cache is optional. Thread-safety: one object by one thread at a time.
class CompletionStore final : public CacheBackend {
 public:
  /// Opens or creates the file and checks it. A damaged one is renamed to "FILE.damaged-N", told to `notice`, and a new
  /// one is begun. Throws InvalidArgument for a file that is no icpi cache, icpi::Error when it cannot be opened.
  explicit CompletionStore(CacheOptions options);
  /// Takes over the open file.
  CompletionStore(CompletionStore&&) noexcept;
  /// Takes over the open file.
  CompletionStore& operator=(CompletionStore&&) noexcept;
  ~CompletionStore() override;

  /// The stored answer, if there is one that is sound.
  [[nodiscard]] std::optional<Completion> find(const RequestFingerprint& key);
  /// The same; `key` is the fingerprint of `request` to `model`. Finds what versions before 0.2 stored, too.
  [[nodiscard]] std::optional<Completion> find(const RequestFingerprint& key, std::string_view model,
                                               const CompletionRequest& request);
  /// See CacheBackend. What is not in the file is the caller's to ask: nobody knows of other processes.
  void look_up(std::span<const Question> questions, std::span<Finding> findings) override;
  /// Errors are never stored: completions that carry one are ignored. The first answer to a question stays.
  void insert(const RequestFingerprint& key, const Completion& completion);
  /// The same for several, one after the other.
  void insert(std::span<const Answer> answers) override;

  /// As given.
  [[nodiscard]] const CacheOptions& options() const noexcept;
  /// What happened since it was opened.
  [[nodiscard]] CacheStatistics statistics() const noexcept override;
  /// See CacheOptions.
  [[nodiscard]] bool require() const noexcept override;
  /// The file.
  [[nodiscard]] std::string name() const override;
  /// Drops every entry whose checksum does not hold; how many there were.
  std::uint64_t verify();
  /// How many answers it holds.
  [[nodiscard]] std::uint64_t entries() override;
  /// Size of the pages in use.
  [[nodiscard]] std::uint64_t bytes() override;
  /// See CacheBackend.
  void for_each(const std::function<void(const RequestFingerprint&, const Completion&)>& visit) override;
  /// See CacheBackend.
  std::uint64_t prune(std::chrono::seconds unused_for) override;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace icpi::store

#endif
