// SPDX-License-Identifier: MIT
// What happens to the results of transfers: answers, failures, servers that go away.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reading.hpp"
#include "scheduler.hpp"

namespace icpi::http {

namespace {

using namespace std::chrono_literals;
using Next = HttpFailure::Next;

constexpr std::size_t refusals_until_down = 3;
constexpr int most_redirects = 3;

bool cannot_work(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
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
  note_wait(result, endpoint, now);
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
  const nlohmann::json answer = parse_answer(result.body);
  const std::string words = words_of_error(answer, key_);
  if (answer.is_discarded()) {
    for (Reading& reading : readings) reading.problem = "the answer is not JSON";
  } else {
    dialect_.read(answer, requests, readings);
  }
  for (std::size_t i = 0; i < readings.size(); ++i) {
    Reading& reading = readings[i];
    if (!jobs_.contains(flight.jobs[i])) continue;
    if (reading.outcome == Reading::Outcome::answer && options_.require_usage && !reading.has_usage) {
      reading.outcome = Reading::Outcome::refused;
      reading.problem = "the server does not count tokens, so that no budget of tokens or money can be kept";
    }
    switch (reading.outcome) {
      case Reading::Outcome::answer:
        endpoints_[flight.endpoint].failing_since.reset();
        endpoints_[flight.endpoint].trouble_told = false;
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
        fail_one(flight, flight.jobs[i], {{ErrorCategory::transport, reading.problem + words, 0}, Next::retry}, now);
        break;
      case Reading::Outcome::refused:
        fail_one(flight, flight.jobs[i], {{ErrorCategory::invalid_request, reading.problem, 0}, Next::give_up}, now);
        break;
    }
  }
}

bool Scheduler::follow_redirect(const TransferResult& result, const Flight& flight) {
  const bool keeps_method = result.status == 307 || result.status == 308;
  const bool here = same_origin(endpoints_[flight.endpoint].base, result.redirect_url);
  if (result.code != CURLE_OK || !keeps_method || !here || flight.hops >= most_redirects) return false;
  redirected_.push_back({flight, result.redirect_url});
  return true;
}

void Scheduler::send_redirected() {
  for (Redirect& redirect : redirected_) {
    Flight& next = redirect.flight;
    std::erase_if(next.jobs, [this](JobId id) { return !jobs_.contains(id); });
    ++next.hops;
    const std::vector<JobId> jobs = next.jobs;
    if (!jobs.empty()) send(jobs, std::move(next), redirect.url);
  }
  redirected_.clear();
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
    return judge_status(result.status, result.body, key_);
  }
  ++statistics_.lost_connections;
  if (never_reached(result)) {
    mark_down(endpoint, result.error, now);
    return HttpFailure{{ErrorCategory::transport, result.error, 0}, Next::come_later};
  }
  const Next next = cannot_work(result.code) ? Next::give_up : Next::retry;
  return HttpFailure{{ErrorCategory::transport, result.error, 0}, next};
}

/// A server that says how long is left alone for as long, whatever went wrong.
void Scheduler::note_wait(const TransferResult& result, Endpoint& endpoint, Clock::time_point now) {
  if (result.retry_after_seconds <= 0) return;
  const auto until = now + std::min<Clock::duration>(seconds_of(result.retry_after_seconds), options_.retries.patience);
  if (result.retry_after_seconds >= 10 && until > endpoint.blocked_until + 1s) {
    tell(fmt::format("http: {} asks to wait {} s", endpoint.description.base_url, result.retry_after_seconds));
  }
  endpoint.block(until);
}

void Scheduler::note_refusal(const TransferResult& result, const Flight& flight, Clock::time_point now) {
  Endpoint& endpoint = endpoints_[flight.endpoint];
  ++statistics_.refusals;
  ++endpoint.refusals_in_a_row;
  if (result.status == 429) endpoint.control.on_refusal(flight.started, now);
  if (result.retry_after_seconds <= 0 && (result.status == 429 || endpoints_.size() > 1)) hold_back(endpoint, now);
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
