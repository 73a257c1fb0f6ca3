// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace icpi::induction {

/// Threads that share the tasks of a batch. The calling thread is worker 0.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t workers) {
    for (std::size_t i = 1; i < workers; ++i) threads_.emplace_back([this, i] { serve(i); });
  }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// Calls task(worker, number) for every number below `count`, each once; returns when all are done. Rethrows the
  /// first exception of a task.
  void run(std::size_t count, const std::function<void(std::size_t, std::size_t)>& task) {
    next_.store(0);
    count_ = count;
    task_ = &task;
    failure_ = nullptr;
    const bool alone = threads_.empty() || count < 2;
    if (!alone) {
      const std::lock_guard lock(mutex_);
      busy_ = threads_.size();
      ++round_;
      wake_.notify_all();
    }
    take(0);
    if (!alone) {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [this] { return busy_ == 0; });
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void take(std::size_t worker) {
    for (std::size_t number = next_++; number < count_; number = next_++) {
      try {
        (*task_)(worker, number);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
    }
  }

  void serve(std::size_t worker) {
    std::size_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return ending_ || round_ != seen; });
      if (ending_) return;
      seen = round_;
      lock.unlock();
      take(worker);
      lock.lock();
      if (--busy_ == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::vector<std::thread> threads_;
  const std::function<void(std::size_t, std::size_t)>* task_ = nullptr;
  std::atomic<std::size_t> next_{0};
  std::size_t count_ = 0;
  std::size_t round_ = 0;
  std::size_t busy_ = 0;
  bool ending_ = false;
  std::exception_ptr failure_;
};

}  // namespace icpi::induction
