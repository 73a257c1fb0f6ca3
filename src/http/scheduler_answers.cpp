// SPDX-License-Identifier: MIT
// What happens to the results of transfers: answers, failures, servers that go away.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "probe.hpp"
#include "scheduler.hpp"

namespace icpi::http {

namespace {

using namespace std::chrono_literals;
using Next = HttpFailure::Next;

constexpr std::size_t refusals_until_down = 3;
constexpr int most_redirects = 3;

bool never_reached(const TransferResult& result) {
  switch (result.code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT: return true;
    case CURLE_OPERATION_TIMEDOUT: return !result.connected;
    default: return false;
  }
}

bool cannot_work(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_CIPHER: return true;
    default: return false;
  }
}

}  // namespace

void Scheduler::handle(TransferResult& result, Clock::time_point now) {
  const bool answered = result.code == CURLE_OK && result.status >= 200 && result.status < 300;
  if (answered) {
    const auto lane = flights_[result.id].lane;
    if (lane) endpoints_[flights_[result.id].endpoint].lanes[*lane].warm = true;
  }
  const Flight flight = land(result.id);
  Endpoint& endpoint = endpoints_[flight.endpoint];
  if (answered) {
    mark_up(endpoint, now);
    endpoint.on_success(now);
    read_answer(result, flight, now);
    return;
  }
  if (follow_redirect(result, flight)) return;
  if (result.status == 429 || result.status == 503) note_refusal(result, flight, now);
  HttpFailure failure = judge_transfer(result, endpoint, now);
  failure.error.retry_after_seconds = result.retry_after_seconds;
  fail(flight, failure, now);
}

void Scheduler::read_answer(const TransferResult& result, const Flight& flight, Clock::time_point now) {
  static const CompletionRequest nobody;
  std::vector<const CompletionRequest*> requests;
  for (const JobId id : flight.jobs) {
    const auto job = jobs_.find(id);
    requests.push_back(job == jobs_.end() ? &nobody : &job->second.request);
  }
  std::vector<Reading> readings(requests.size());
  const nlohmann::json answer = nlohmann::json::parse(result.body, nullptr, false);
  if (answer.is_discarded()) {
    for (Reading& reading : readings) reading.problem = "the answer is not JSON";
  } else {
    dialect_.read(answer, requests, readings);
  }
  for (std::size_t i = 0; i < readings.size(); ++i) {
    Reading& reading = readings[i];
    if (!jobs_.contains(flight.jobs[i])) continue;
    switch (reading.outcome) {
      case Reading::Outcome::answer:
        ++statistics_.answers;
        if (!reading.has_usage) ++statistics_.answers_without_usage;
        statistics_.usage.prompt_tokens += reading.completion.usage.prompt_tokens;
        statistics_.usage.cached_tokens += reading.completion.usage.cached_tokens;
        statistics_.usage.completion_tokens += reading.completion.usage.completion_tokens;
        if (!key_.empty()) {
          reading.completion.text = redacted(std::move(reading.completion.text), key_);
          for (TokenLogprob& token : reading.completion.tokens) token.token = redacted(std::move(token.token), key_);
        }
        end(flight.jobs[i], std::move(reading.completion));
        break;
      case Reading::Outcome::unreadable:
        ++statistics_.unreadable_answers;
        fail_job(flight.jobs[i], HttpFailure{{ErrorCategory::transport, reading.problem, 0}, Next::retry}, now);
        break;
      case Reading::Outcome::refused:
        fail_job(flight.jobs[i], HttpFailure{{ErrorCategory::invalid_request, reading.problem, 0}, Next::give_up}, now);
        break;
    }
  }
}

bool Scheduler::follow_redirect(const TransferResult& result, const Flight& flight) {
  const bool keeps_method = result.status == 307 || result.status == 308;
  const bool here = same_origin(endpoints_[flight.endpoint].base, result.redirect_url);
  if (result.code != CURLE_OK || !keeps_method || !here || flight.hops >= most_redirects) return false;
  std::vector<JobId> jobs;
  for (const JobId id : flight.jobs) {
    if (jobs_.contains(id)) jobs.push_back(id);
  }
  if (jobs.empty()) return true;
  Flight next = flight;
  next.jobs = jobs;
  ++next.hops;
  send(jobs, std::move(next), result.redirect_url);
  return true;
}

HttpFailure Scheduler::judge_transfer(const TransferResult& result, Endpoint& endpoint, Clock::time_point now) {
  if (result.too_large) {
    return HttpFailure{
        {ErrorCategory::transport, fmt::format("the answer is larger than {} bytes", options_.max_response_bytes), 0},
        Next::give_up};
  }
  if (result.code == CURLE_OK) {
    if (result.status >= 300 && result.status < 400) {
      return HttpFailure{
          {ErrorCategory::invalid_request,
           fmt::format("status {}: redirected to another server, by another method or in a circle: refused",
                       result.status),
           0},
          Next::give_up};
    }
    return judge_status(result.status, result.body);
  }
  ++statistics_.lost_connections;
  if (never_reached(result)) {
    mark_down(endpoint, result.error, now);
    return HttpFailure{{ErrorCategory::transport, result.error, 0}, Next::come_later};
  }
  const Next next = cannot_work(result.code) ? Next::give_up : Next::retry;
  return HttpFailure{{ErrorCategory::transport, result.error, 0}, next};
}

void Scheduler::note_refusal(const TransferResult& result, const Flight& flight, Clock::time_point now) {
  Endpoint& endpoint = endpoints_[flight.endpoint];
  ++statistics_.refusals;
  ++endpoint.refusals_in_a_row;
  if (result.status == 429) endpoint.control.on_refusal(flight.started, now);
  if (result.retry_after_seconds > 0) {
    endpoint.block(now + std::min<Clock::duration>(seconds_of(result.retry_after_seconds), options_.retries.patience));
    if (result.retry_after_seconds >= 10) {
      tell(fmt::format("http: {} asks to wait {} s", endpoint.description.base_url, result.retry_after_seconds));
    }
  } else if (result.status == 429 || endpoints_.size() > 1) {
    hold_back(endpoint, now);
  }
  if (result.status == 503 && endpoint.refusals_in_a_row >= refusals_until_down) mark_down(endpoint, "status 503", now);
}

/// Once for a crowd of requests that fail together.
void Scheduler::hold_back(Endpoint& endpoint, Clock::time_point now) {
  if (now < endpoint.blocked_until) return;
  endpoint.block(now + backoff(++endpoint.times_held_back));
}

void Scheduler::mark_down(Endpoint& endpoint, const std::string& problem, Clock::time_point now) {
  endpoint.last_problem = fmt::format("{}: {}", endpoint.description.base_url, problem);
  hold_back(endpoint, now);
  if (endpoint.down_since) return;
  endpoint.down_since = now;
  const bool all_down =
      std::all_of(endpoints_.begin(), endpoints_.end(), [](const Endpoint& e) { return e.down_since.has_value(); });
  if (all_down) {
    tell(fmt::format("http: {}; pausing for up to {:.0f} s until it is back", endpoint.last_problem,
                     in_seconds(options_.retries.patience)));
  } else {
    tell(fmt::format("http: {}; its requests go to the other servers", endpoint.last_problem));
  }
}

void Scheduler::mark_up(Endpoint& endpoint, Clock::time_point now) {
  if (!endpoint.down_since) return;
  tell(fmt::format("http: {} is back after {:.1f} s", endpoint.description.base_url,
                   in_seconds(now - *endpoint.down_since)));
}

}  // namespace icpi::http
