// SPDX-License-Identifier: MIT
// How jobs end: tried again until that is pointless, out of time, cancelled, answered.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reading.hpp"
#include "scheduler.hpp"

namespace icpi::http {

namespace {

using namespace std::chrono_literals;
using Next = HttpFailure::Next;

constexpr auto quiet_trouble = 5s;  // shorter trouble is not worth a word

}  // namespace

void Scheduler::fail(const Flight& flight, const HttpFailure& failure, Clock::time_point now) {
  for (const JobId id : flight.jobs) {
    if (jobs_.contains(id)) fail_one(flight, id, failure, now);
  }
}

void Scheduler::fail_one(const Flight& flight, JobId id, HttpFailure failure, Clock::time_point now) {
  Endpoint& endpoint = endpoints_[flight.endpoint];
  const bool limited = failure.next == Next::come_later && failure.error.category == ErrorCategory::rate_limited;
  if (failure.next == Next::retry || limited) tell_of_trouble(endpoint, flight.started, failure, now);
  if (failure.next != Next::fail)
    endpoint.wait_reason = fmt::format("{}: {}", endpoint.description.base_url, failure.error.message);
  failure.error.message = fmt::format("http: {}: {}", endpoint.description.base_url, failure.error.message);
  fail_job(id, std::move(failure), now);
}

/// Once, when nothing but failures has come for a while.
void Scheduler::tell_of_trouble(Endpoint& endpoint, Clock::time_point began, const HttpFailure& failure,
                                Clock::time_point now) {
  if (!endpoint.failing_since) endpoint.failing_since = began;
  if (endpoint.trouble_told || now - *endpoint.failing_since < quiet_trouble) return;
  endpoint.trouble_told = true;
  const std::string_view problem = failure.error.message;
  if (failure.next == Next::retry) {
    tell(fmt::format("http: {}: {}; trying again, each question up to {} times", endpoint.description.base_url, problem,
                     options_.retries.attempts));
  } else {
    tell(fmt::format("http: {}: {}; waiting, each question for up to {:.0f} s", endpoint.description.base_url, problem,
                     in_seconds(options_.retries.patience)));
  }
}

/// Whether there is money for one more attempt after those that cost something.
bool Scheduler::may_ask_again(Job& job) const {
  if (!options_.ask_again || job.spent == job.told) return true;
  const Usage cost{job.spent.prompt_tokens - job.told.prompt_tokens, job.spent.cached_tokens - job.told.cached_tokens,
                   job.spent.completion_tokens - job.told.completion_tokens,
                   job.spent.written_tokens - job.told.written_tokens};
  job.told = job.spent;
  return options_.ask_again(job.request, cost);
}

void Scheduler::fail_job(JobId id, HttpFailure failure, Clock::time_point now) {
  Job& job = jobs_.at(id);
  if (failure.next != Next::fail && !may_ask_again(job)) {
    failure.error.category = ErrorCategory::budget_exhausted;
    failure.error.message += "; the budget has no room for another attempt";
    end_with_error(id, std::move(failure.error));
    return;
  }
  switch (failure.next) {
    case Next::fail: end_with_error(id, std::move(failure.error)); return;
    case Next::retry: {
      job.refusals = 0;
      job.first_refusal.reset();
      if (++job.failures >= options_.retries.attempts) {
        failure.error.message += fmt::format(" (given up after {} attempts)", job.failures);
        end_with_error(id, std::move(failure.error));
        return;
      }
      const auto asked =
          std::min<Clock::duration>(seconds_of(failure.error.retry_after_seconds), options_.retries.patience);
      retry_at(id, std::max(backoff(job.failures), asked), std::move(failure.error), now);
      return;
    }
    case Next::come_later: {
      ++job.refusals;
      if (!job.first_refusal) job.first_refusal = now;
      const auto asked = seconds_of(failure.error.retry_after_seconds);
      const bool elsewhere =
          std::any_of(endpoints_.begin(), endpoints_.end(), [&](const Endpoint& e) { return e.available(now); });
      const auto delay =
          elsewhere && endpoints() > 1 ? Clock::duration::zero() : std::max(backoff(job.refusals), asked);
      if (now + delay - *job.first_refusal > options_.retries.patience) {
        failure.error.message += asked > options_.retries.patience
                                     ? fmt::format(" (it asks to wait {:.0f} s)", failure.error.retry_after_seconds)
                                     : fmt::format(" (given up after {:.1f} s)", in_seconds(now - *job.first_refusal));
        end_with_error(id, std::move(failure.error));
        return;
      }
      retry_at(id, delay, std::move(failure.error), now);
      return;
    }
  }
}

void Scheduler::retry_at(JobId id, Clock::duration delay, CompletionError error, Clock::time_point now) {
  Job& job = jobs_.at(id);
  if (job.deadline && now + delay >= *job.deadline) {
    error.category = ErrorCategory::timeout;
    error.message += " (no time left to try again)";
    end_with_error(id, std::move(error));
    return;
  }
  job.state = State::delayed;
  job.due = now + delay;
  delayed_.emplace(job.due, id);
}

Clock::duration Scheduler::backoff(int failures) {
  const double first = in_seconds(options_.retries.first_backoff);
  const double longest = in_seconds(options_.retries.longest_backoff);
  const double full = std::min(longest, first * std::exp2(std::min(failures - 1, 30)));
  return seconds_of(full * (0.5 + 0.5 * jitter_.uniform()));
}

void Scheduler::expire(Clock::time_point now) {
  while (!flight_deadlines_.empty() && flight_deadlines_.begin()->first <= now) {
    const TransferId id = flight_deadlines_.begin()->second;
    wire_.abort(id);
    const Flight flight = land(id);
    ++statistics_.timeouts;
    const std::string problem = fmt::format("no answer within {} s", in_seconds(options_.attempt_timeout));
    note_failure(endpoints_[flight.endpoint], problem, now);
    fail(flight, HttpFailure{{ErrorCategory::timeout, problem, 0}, Next::retry}, now);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const JobId id = deadlines_.begin()->second;
    const double seconds = in_seconds(jobs_.at(id).request.timeout);
    CompletionError error{ErrorCategory::timeout, fmt::format("http: no answer within the request's {} s", seconds), 0};
    ++statistics_.timeouts;
    take_off_the_list(id);
    end_with_error(id, std::move(error));
  }
}

void Scheduler::fail_without_servers(Clock::time_point now) {
  std::optional<Clock::time_point> latest;
  std::string problem;
  for (const Endpoint& endpoint : endpoints_) {
    if (endpoint.retired) continue;
    if (!endpoint.down_since) return;
    latest = std::max(latest.value_or(*endpoint.down_since), *endpoint.down_since);
    problem = endpoint.last_problem;
  }
  if (!latest || now - *latest <= options_.retries.patience) return;
  std::vector<JobId> stranded;
  for (const auto& [id, job] : jobs_) {
    if (job.state != State::in_flight) stranded.push_back(id);
  }
  std::sort(stranded.begin(), stranded.end());
  for (const JobId id : stranded) {
    end_with_error(id, {ErrorCategory::transport, "http: no server takes requests: " + problem, 0});
  }
}

/// While every server asks to wait for longer than anybody is willing to, nothing is sent.
void Scheduler::refuse_while_closed(Clock::time_point now) {
  const Endpoint* closed = nullptr;
  for (const Endpoint& endpoint : endpoints_) {
    if (endpoint.retired) continue;
    if (endpoint.closed_until <= now) return;
    if (closed == nullptr) closed = &endpoint;
  }
  if (closed == nullptr) return;
  std::vector<JobId> waiting;
  for (const auto& [id, job] : jobs_) {
    if (job.state != State::in_flight) waiting.push_back(id);
  }
  std::sort(waiting.begin(), waiting.end());
  for (const JobId id : waiting) end_with_error(id, closed->closed_because);
}

/// Tells of waits above a second, again and again until they are over.
void Scheduler::announce_wait(Clock::time_point now) {
  if (!options_.waiting) return;
  const auto reason = [&]() -> std::pair<Clock::time_point, std::string> {
    Clock::time_point first = Clock::time_point::max();
    const Endpoint* blocked = nullptr;
    for (const Endpoint& endpoint : endpoints_) {
      if (endpoint.in_flight > 0) return {};
      if (!endpoint.retired && endpoint.blocked_until < first) {
        first = endpoint.blocked_until;
        blocked = &endpoint;
      }
    }
    if (jobs_.empty() || blocked == nullptr) return {};
    const auto due = std::max(rate_clock_, token_clock_);
    if (!ready_.empty() && due > first)
      return {due, due == rate_clock_ ? "the limit of requests per minute" : "the limit of tokens per minute"};
    if (ready_.empty() && !delayed_.empty()) first = std::max(first, delayed_.begin()->first);
    return {first, blocked->wait_reason};
  };
  const auto [until, words] = reason();
  const bool waiting = until > now + (wait_announced_ ? 0s : 1s);
  if (waiting) options_.waiting(redacted(words, secrets_), in_seconds(until - now));
  if (!waiting && wait_announced_) options_.waiting({}, 0);
  wait_announced_ = waiting;
}

void Scheduler::take_off_the_list(JobId id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || found->second.state != State::in_flight) return;
  for (TransferId transfer = 0; transfer < flights_.size(); ++transfer) {
    Flight& flight = flights_[transfer];
    const auto place = std::find(flight.jobs.begin(), flight.jobs.end(), id);
    if (place == flight.jobs.end()) continue;
    if (flight.jobs.size() == 1) {
      wire_.abort(transfer);
      static_cast<void>(land(transfer));
    } else {
      *place = 0;
    }
    return;
  }
}

void Scheduler::cancel_all() {
  std::vector<JobId> all;
  for (const auto& [id, job] : jobs_) all.push_back(id);
  std::sort(all.begin(), all.end());
  for (const JobId id : all) {
    take_off_the_list(id);
    end_with_error(id, {ErrorCategory::cancelled, "http: interrupted", 0});
  }
}

void Scheduler::cancel(JobId id) {
  take_off_the_list(id);
  end_with_error(id, {ErrorCategory::cancelled, "http: cancelled by the caller", 0});
}

void Scheduler::end(JobId id, Completion&& completion) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  if (found->second.deadline) deadlines_.erase({*found->second.deadline, id});
  if (found->second.state == State::delayed) delayed_.erase({found->second.due, id});
  completion.usage = found->second.spent;
  completion.booked = found->second.told;
  jobs_.erase(found);
  ++ended_jobs_;
  sink_(id, std::move(completion));
}

void Scheduler::end_with_error(JobId id, CompletionError error) {
  if (!jobs_.contains(id)) return;
  ++statistics_.errors;
  Completion completion;
  completion.error = std::move(error);
  completion.error.message = redacted(std::move(completion.error.message), secrets_);
  end(id, std::move(completion));
}

Statistics Scheduler::statistics() const {
  Statistics result = statistics_;
  for (const Endpoint& endpoint : endpoints_) {
    result.in_flight += endpoint.in_flight;
    if (!endpoint.retired) result.concurrency_limit += endpoint.control.limit();
  }
  result.queued = 0;
  for (const auto& [id, job] : jobs_) result.queued += job.state == State::in_flight ? 0U : 1U;
  return result;
}

void Scheduler::tell(const std::string& line) const {
  if (options_.notice) options_.notice(redacted(line, secrets_));
}

}  // namespace icpi::http
