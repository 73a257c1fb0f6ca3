// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/core/thread_team.hpp"

namespace icpi {

/// @cond internals

/// The threads besides the caller's.
class ThreadTeam::Workers {
 public:
  explicit Workers(std::size_t count) {
    try {
      for (std::size_t worker = 1; worker <= count; ++worker) {
        threads_.emplace_back([this, worker] { serve(worker); });
      }
    } catch (...) {
      stop();
      throw;
    }
  }

  ~Workers() { stop(); }

  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void for_each(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) {
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

/// @endcond

ICPI_INLINE ThreadTeam::ThreadTeam(std::size_t size)
    : size_(std::max<std::size_t>(size, 1)), workers_(size_ > 1 ? std::make_unique<Workers>(size_ - 1) : nullptr) {}

ICPI_INLINE ThreadTeam::~ThreadTeam() = default;

ICPI_INLINE void ThreadTeam::for_each(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) {
  if (workers_ && count > 1) return workers_->for_each(count, body);
  for (std::size_t index = 0; index < count; ++index) body(index, 0);
}

}  // namespace icpi
