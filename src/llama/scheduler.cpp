// SPDX-License-Identifier: MIT
#include "scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace icpi::llama {

Scheduler::Scheduler(const Options& options, LoadedModel& model, Deliver deliver)
    : options_(&options),
      model_(&model),
      deliver_(std::move(deliver)),
      tokenizer_(model, options),
      drafter_(make_drafter(options, tokenizer_)),
      tree_(model) {}

void Scheduler::add(std::unique_ptr<Job> job) { queue_.push_back(std::move(job)); }

void Scheduler::cancel(JobId id) {
  const auto ends = [&](const std::unique_ptr<Job>& job) {
    if (job->id == id) job->deadline = Clock::time_point::min();
  };
  std::for_each(queue_.begin(), queue_.end(), ends);
  std::for_each(live_.begin(), live_.end(), ends);
}

void Scheduler::turn() {
  end_unwanted();
  admit_all();
  if (drafter_) guess_all(*drafter_, live_);
  build_batch();
  if (!batch_.empty()) compute();
  std::vector<std::unique_ptr<Job>> done;
  for (auto& job : live_)
    if (job->next_work == job->work.size() && job->started) done.push_back(std::move(job));
  std::erase(live_, nullptr);
  for (auto& job : done) finish(std::move(job));
}

/// Those that were cancelled or whose time is over.
void Scheduler::end_unwanted() {
  if (options_->interrupted && options_->interrupted()) return fail_all(ErrorCategory::cancelled, "interrupted");
  const auto now = Clock::now();
  std::vector<std::unique_ptr<Job>> ended;
  const auto take_from = [&](auto& jobs) {
    for (auto& job : jobs)
      if (job->deadline <= now) ended.push_back(std::move(job));
    std::erase(jobs, nullptr);
  };
  take_from(queue_);
  take_from(live_);
  for (auto& job : ended) {
    if (job->deadline == Clock::time_point::min()) {
      job->fail(ErrorCategory::cancelled, "no longer wanted");
    } else {
      job->fail(ErrorCategory::timeout, fmt::format("no answer within {} ms", job->request.timeout.count()));
    }
    finish(std::move(job));
  }
}

void Scheduler::admit_all() {
  if (live_.empty() && !queue_.empty() && !model_->in_order()) tree_.close_ranks();
  while (!queue_.empty() && live_.size() < options_->concurrency) {
    Job& job = *queue_.front();
    if (!job.planned()) job.plan(*model_, tokenizer_, tree_.find(job.request.prefix.identity));
    const bool answered = job.completion.error || !job.needs_logits();
    if (!answered && !admit(job)) {
      if (!live_.empty()) return;
      admit_alone(job);
    }
    std::unique_ptr<Job> first = std::move(queue_.front());
    queue_.pop_front();
    if (answered) {
      if (!first->completion.error) first->completion.usage.cached_tokens = first->completion.usage.prompt_tokens;
      finish(std::move(first));
    } else {
      live_.push_back(std::move(first));
    }
  }
}

bool Scheduler::admit(Job& job) {
  const Place place = find_place(tree_, job, model_->keeps_states());
  const std::size_t cells = job.prompt.size() - place.branch_at + job.cells_behind_prompt();
  PrefixTree::Prefix* source = place.match.prefix;
  if (source != nullptr) tree_.pin(*source);
  const bool room = tree_.make_room(place.growth + cells, job.paths() + (place.is_new ? 1 : 0));
  if (room) settle(job, place);
  if (source != nullptr) tree_.unpin(*source);
  if (!room) return false;
  job.cells = cells;
  job.sequences = tree_.take(job.paths(), cells);
  job.begin(place.branch_at);
  const std::size_t known = place.branch_at - std::min(place.branch_at, place.growth);
  job.completion.usage.cached_tokens = known;
  statistics_.prefix_tokens_requested += job.prefix_text.tokens.size();
  return true;
}

/// When nothing else is under way and memory still does not suffice: prefixes stand in the way.
void Scheduler::admit_alone(Job& job) {
  tree_.close_ranks();
  if (admit(job)) return;
  tree_.forget_unused();
  if (admit(job)) return;
  tree_.forget_unused();
  job.cells = job.prompt.size() + job.cells_behind_prompt();
  job.sequences = tree_.take(job.paths(), job.cells);
  job.begin(0);
  statistics_.prefix_tokens_requested += job.prefix_text.tokens.size();
}

/// Brings the prefix to its place, and pins it for the job.
void Scheduler::settle(Job& job, Place place) {
  const std::uint64_t identity = job.request.prefix.identity;
  job.prefix = place.match.prefix;
  if (place.is_new) {
    if (auto* own = tree_.find(identity); own != nullptr && identity != 0) tree_.disown(*own);
    job.prefix = &tree_.add(job.prefix_text, identity, place.match);
  } else if (place.in_place) {
    tree_.replace_end(*job.prefix, job.prefix_text, place.match.common);
  }
  if (job.prefix != nullptr) tree_.pin(*job.prefix);
}

void Scheduler::start(Job& job) {
  job.started = true;
  if (job.prefix == nullptr) return;
  const std::size_t count =
      model_->keeps_states() ? 1 : job.sequences.size();  // others share that one's: start_afresh()
  for (const Sequence each : std::span(job.sequences).first(count))
    model_->share(job.prefix->sequence, each, job.branch_at);
}

/// Jobs come first, but for a quarter that growing prefixes may have. When the batch does not hold all, the next one
/// begins behind the last job that found a place.
void Scheduler::build_batch() {
  batch_.clear();
  outputs_.clear();
  growing_.clear();
  const bool growth = std::any_of(live_.begin(), live_.end(), [](const std::unique_ptr<Job>& job) {
    return job->prefix != nullptr && !job->prefix->complete();
  });
  const std::size_t room = options_->batch_tokens - (growth ? options_->batch_tokens / 4 : 0);
  std::size_t next = 0;
  for (std::size_t i = 0; i < live_.size() && batch_.size() < room; ++i) {
    Job& job = *live_[i];
    if (!job.started && (job.prefix == nullptr || job.prefix->computed >= job.branch_at)) start(job);
    if (!job.started) continue;
    add_work(job, room);
    if (batch_.size() == room) next = i + 1;
  }
  for (const auto& job : live_)
    if (job->prefix != nullptr && !job->prefix->complete()) add_prefix_tokens(*job->prefix);
  if (next < live_.size()) std::rotate(live_.begin(), live_.begin() + static_cast<std::ptrdiff_t>(next), live_.end());
}

/// Brings the job's sequences back to where its prompt ends. Where states are kept, a tree's first sequence stays there for
/// the others, and a single one begins where it left the prefix: its work has the rest of the prompt again.
void Scheduler::start_afresh(Job& job) {
  if (!model_->keeps_states()) {
    for (const Sequence each : job.sequences) model_->forget(each, job.prompt.size());
    return;
  }
  const bool tree = job.sequences.size() > 1;
  for (const Sequence each : std::span(job.sequences).subspan(tree ? 1 : 0)) {
    model_->forget(each, 0);
    if (tree) {
      model_->share(job.sequences.front(), each, job.prompt.size());
    } else if (job.prefix != nullptr) {
      model_->share(job.prefix->sequence, each, job.branch_at);
    }
  }
}

/// Puts work of the job into the batch until that holds `room` tokens.
void Scheduler::add_work(Job& job, std::size_t room) {
  const std::size_t first = job.next_work;
  for (; job.next_work < job.work.size() && batch_.size() < room; ++job.next_work) {
    const Job::Work& work = job.work[job.next_work];
    if (work.afresh) {
      if (job.next_work > first) return;  // what is in the batch must be computed before
      start_afresh(job);
    }
    const auto sequences = std::span(job.sequences).subspan(work.first_path, work.last_path - work.first_path);
    if (work.output) outputs_.push_back({batch_.size(), {&job, job.next_work}});
    batch_.push_back({work.token, work.position, sequences, work.output});
    statistics_.tokens_drafted += work.guessed ? 1 : 0;
  }
  if (job.next_work > first) ++job.passes;
}

void Scheduler::add_prefix_tokens(PrefixTree::Prefix& prefix) {
  const auto is_prefix = [&](const auto& entry) { return entry.first == &prefix; };
  if (std::any_of(growing_.begin(), growing_.end(), is_prefix)) return;
  const auto& tokens = prefix.text.tokens;
  const std::size_t room = options_->batch_tokens - std::min(options_->batch_tokens, batch_.size());
  const std::size_t count = std::min(room, tokens.size() - prefix.computed);
  for (std::size_t at = prefix.computed; at < prefix.computed + count; ++at)
    batch_.push_back({tokens[at], static_cast<std::int32_t>(at), std::span(&prefix.sequence, 1), false});
  if (count > 0) growing_.push_back({&prefix, count});
}

void Scheduler::compute() {
  auto outcome = model_->compute(batch_);
  if (outcome != LoadedModel::Outcome::done) {
    fail_all(ErrorCategory::transport,
             fmt::format("{}: libllama failed to compute {} tokens", model_->capabilities().file, batch_.size()));
    tree_.forget_unused();
    model_->forget_all();
    return;
  }
  ++statistics_.computations;
  statistics_.tokens_computed += batch_.size();
  for (const auto& [prefix, count] : growing_) {
    prefix->computed += count;
    statistics_.prefix_tokens_computed += count;
  }
  const Job* guessed_wrong = nullptr;  // the outputs of a job follow one another
  for (const auto& [place, target] : outputs_) {
    const auto& [job, work] = target;
    if (job == guessed_wrong || job->take(work, model_->logits(place), *model_, sampler_)) continue;
    guessed_wrong = job;
    if (model_->keeps_states()) continue;  // then its work begins afresh
    model_->forget(job->sequences.front(), static_cast<std::size_t>(job->work[work].position) + 1);
  }
}

void Scheduler::release(Job& job) {
  if (!job.sequences.empty()) tree_.give_back(job.sequences, job.cells);
  if (job.prefix != nullptr) tree_.unpin(*job.prefix);
  job.sequences.clear();
  job.prefix = nullptr;
}

void Scheduler::finish(std::unique_ptr<Job> job) {
  release(*job);
  statistics_.tokens_accepted += job->accepted();
  if (!job->completion.error) job->finish();
  if (job->completion.error) {
    ++statistics_.errors;
  } else {
    ++statistics_.answers;
    statistics_.passes += job->passes;
    statistics_.usage += job->completion.usage;
  }
  deliver_(*job);
}

void Scheduler::fail_all(ErrorCategory category, const std::string& message) {
  auto live = std::exchange(live_, {});
  auto waiting = std::exchange(queue_, {});
  for (auto& job : waiting) live.push_back(std::move(job));
  for (auto& job : live) {
    job->fail(category, message);
    finish(std::move(job));
  }
}

Statistics Scheduler::statistics() const {
  Statistics now = statistics_;
  now.prefixes = tree_.size();
  now.prefixes_forgotten = tree_.forgotten();
  now.kv_bytes = tree_.used_bytes();
  now.most_kv_bytes = tree_.most_used_bytes();
  now.disorders = model_->disorders();
  now.in_flight = live_.size();
  now.queued = queue_.size();
  return now;
}

}  // namespace icpi::llama
