// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace icpi {

/// Threads that wait for loops to share. One caller at a time.
class ThreadTeam {
 public:
  /// A team of `size` workers, the calling thread included; 0 counts as 1.
  explicit ThreadTeam(std::size_t size = 1) {
    try {
      for (std::size_t worker = 1; worker < size; ++worker) {
        threads_.emplace_back([this, worker] { serve(worker); });
      }
    } catch (...) {
      stop();
      throw;
    }
  }

  ~ThreadTeam() { stop(); }

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  /// How many threads work, the caller included.
  [[nodiscard]] std::size_t size() const noexcept { return threads_.size() + 1; }

  /// Calls `body(index, worker)` once for every index below `count`, worker < size(). Returns when all are done; an
  /// exception of a body is rethrown here (the first one), and indices not yet begun are skipped.
  void for_each(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) {
    if (threads_.empty() || count < 2) {
      for (std::size_t index = 0; index < count; ++index) body(index, 0);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      body_ = &body;
      count_ = count;
      next_ = 0;
      busy_ = threads_.size();
      ++generation_;
    }
    wake_.notify_all();
    work(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (const auto error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
  }

 private:
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void serve(std::size_t worker) {
    std::size_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
        if (stopping_) return;
        seen = generation_;
      }
      work(worker);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  void work(std::size_t worker) {
    for (std::size_t index = next_++; index < count_; index = next_++) {
      try {
        (*body_)(index, worker);
      } catch (...) {
        next_ = count_;
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(std::size_t, std::size_t)>* body_ = nullptr;
  std::size_t count_ = 0;
  std::atomic<std::size_t> next_{0};
  std::size_t busy_ = 0;
  std::size_t generation_ = 0;
  bool stopping_ = false;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace icpi
