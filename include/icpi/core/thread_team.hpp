// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "icpi/core/export.hpp"

namespace icpi {

/// Threads that wait for loops to share. One caller at a time.
class ICPI_API ThreadTeam {
 public:
  /// A team of `size` workers, the calling thread included; 0 counts as 1.
  explicit ThreadTeam(std::size_t size = 1);
  ~ThreadTeam();

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  /// How many threads work, the caller included.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Calls `body(index, worker)` once for every index below `count`, worker < size(). Returns when all are done; an
  /// exception of a body is rethrown here (the first one), and indices not yet begun are skipped. Allocates nothing.
  void for_each(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body);

 private:
  class Workers;

  std::size_t size_;
  std::unique_ptr<Workers> workers_;  ///< the others; none: the caller is alone
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/thread_team-inl.hpp"
#endif
