// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "draft.hpp"
#include "icpi/llama/language_model.hpp"
#include "job.hpp"
#include "loaded_model.hpp"
#include "place.hpp"
#include "prefix_tree.hpp"
#include "request_tokens.hpp"
#include "sampler.hpp"

namespace icpi::llama {

/// Computes for all jobs together. Jobs are admitted in the order of their coming, as far as memory allows, and leave as
/// soon as they are done.
class Scheduler {
 public:
  /// Called once for every job that was added, never from within add().
  using Deliver = std::function<void(Job&)>;

  /// `options` and `model` must outlive this object.
  Scheduler(const Options& options, LoadedModel& model, Deliver deliver);

  void add(std::unique_ptr<Job> job);
  /// Unknown jobs are ignored.
  void cancel(JobId id);
  /// Whether anything is left to do.
  [[nodiscard]] bool busy() const noexcept { return !queue_.empty() || !live_.empty(); }
  /// One computation, and everything around it.
  void turn();

  [[nodiscard]] Statistics statistics() const;

 private:
  void end_unwanted();
  void admit_all();
  [[nodiscard]] bool admit(Job& job);
  void admit_alone(Job& job);
  void settle(Job& job, Place place);
  void start(Job& job);
  void start_afresh(Job& job);
  void build_batch();
  void add_work(Job& job, std::size_t room);
  void add_prefix_tokens(PrefixTree::Prefix& prefix);
  void compute();
  void release(Job& job);
  void finish(std::unique_ptr<Job> job);
  void fail_all(ErrorCategory category, const std::string& message);

  const Options* options_;
  LoadedModel* model_;
  Deliver deliver_;
  RequestTokenizer tokenizer_;
  std::unique_ptr<Drafter> drafter_;  ///< null: nothing is guessed
  PrefixTree tree_;
  Sampler sampler_;
  Statistics statistics_;
  std::deque<std::unique_ptr<Job>> queue_;
  std::vector<std::unique_ptr<Job>> live_;
  std::vector<BatchToken> batch_;
  std::vector<std::pair<std::size_t, std::pair<Job*, std::size_t>>> outputs_;  ///< place in the batch, job, work
  std::vector<std::pair<PrefixTree::Prefix*, std::size_t>> growing_;           ///< prefix, tokens in the batch
};

}  // namespace icpi::llama
