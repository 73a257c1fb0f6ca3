// SPDX-License-Identifier: MIT
// What happens to the results of transfers: answers, failures, servers that go away.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "event_stream.hpp"
#include "reading.hpp"
#include "scheduler.hpp"

namespace icpi::http {

namespace {

using Next = HttpFailure::Next;

constexpr int most_redirects = 3;

void add_to(Usage& total, const Usage& more) {
  total.prompt_tokens += more.prompt_tokens;
  total.cached_tokens += more.cached_tokens;
  total.completion_tokens += more.completion_tokens;
  total.written_tokens += more.written_tokens;
}

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
  endpoint.rates.learn(result.limits, now);
  if (answered) {
    mark_up(endpoint, now);
    const bool was_down = endpoint.down_since.has_value();
    endpoint.on_success(now);
    if (was_down) count_healthy();
    read_answer(result, flight, now);
    return;
  }
  if (follow_redirect(result, flight)) return;
  HttpFailure failure = judge_transfer(result, endpoint, now);
  if (result.retry_after_seconds > 0) failure.error.retry_after_seconds = result.retry_after_seconds;
  note_wait(failure, endpoint, now);
  if (result.status == 429 || result.status == 503 || result.status == 529)
    note_refusal(failure, result.status, flight, now);
  if (failure.next == Next::retry) note_failure(endpoint, failure.error.message, now);
  if (adapt(result, flight, failure)) return;
  advise(result, endpoint, failure);
  fail(flight, failure, now);
}

/// What stands in a body with status 2xx; `failure`: what it says of an error.
std::vector<Reading> Scheduler::readings_of(const TransferResult& result, const Flight& flight,
                                            HttpFailure& failure) const {
  static const CompletionRequest nobody;
  std::vector<const CompletionRequest*> requests;
  for (const JobId id : flight.jobs) {
    const auto job = jobs_.find(id);
    requests.push_back(job == jobs_.end() ? &nobody : &job->second.request);
  }
  std::vector<Reading> readings(requests.size());
  const nlohmann::json answer =
      is_event_stream(result.body) ? join_event_stream(result.body) : parse_answer(result.body);
  if (answer.is_discarded()) {
    for (Reading& reading : readings) reading.problem = "the answer is not JSON, or not all of it";
    return readings;
  }
  dialect_.read(answer, requests, readings);
  if (!is_error(answer)) return readings;
  const ServerWords words = read_server_words(answer, result.body);
  failure = judge_status(words.status == 0 ? status_in(words) : words.status, words, secrets_);
  if (words.status == 0) failure.error.message = "status 200 with an error: " + shown_words(words.message, secrets_);
  for (Reading& reading : readings) {
    reading.outcome = Reading::Outcome::broken_off;
    reading.problem.clear();
  }
  return readings;
}

void Scheduler::read_answer(const TransferResult& result, const Flight& flight, Clock::time_point now) {
  HttpFailure failure;
  std::vector<Reading> readings = readings_of(result, flight, failure);
  book(flight, readings);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    Reading& reading = readings[i];
    if (!jobs_.contains(flight.jobs[i])) continue;
    if (reading.outcome == Reading::Outcome::answer && options_.require_usage && !reading.has_usage) {
      reading.outcome = Reading::Outcome::refused;
      reading.problem = "the server does not count tokens, so that no budget of tokens or money can be kept";
    }
    settle(flight, flight.jobs[i], reading, failure, now);
  }
}

/// What a whole answer cost is booked whatever can be done with it: on its question, or on its neighbour's when that one
/// was cancelled meanwhile.
void Scheduler::book(const Flight& flight, std::vector<Reading>& readings) {
  Usage cost;
  for (Reading& reading : readings) {
    add_to(cost, reading.completion.usage);
    reading.completion.usage = {};
  }
  add_to(statistics_.usage, cost);
  learn_density(flight, cost);
  for (const JobId id : flight.jobs) {
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) continue;
    add_to(job->second.spent, cost);
    return;
  }
}

/// How many tokens the server counts for a byte of a prompt.
void Scheduler::learn_density(const Flight& flight, const Usage& cost) {
  std::size_t bytes = 0;
  for (const JobId id : flight.jobs) {
    const auto job = jobs_.find(id);
    if (job != jobs_.end()) bytes += job->second.request.prefix.text.size() + job->second.request.query.size();
  }
  if (bytes == 0 || cost.prompt_tokens == 0) return;
  tokens_a_byte_ = std::min(1.0, static_cast<double>(cost.prompt_tokens) / static_cast<double>(bytes));
}

void Scheduler::settle(const Flight& flight, JobId id, Reading& reading, const HttpFailure& failure,
                       Clock::time_point now) {
  switch (reading.outcome) {
    case Reading::Outcome::answer: return accept(flight, id, reading);
    case Reading::Outcome::unreadable:
      ++statistics_.unreadable_answers;
      return fail_one(flight, id, {{ErrorCategory::transport, reading.problem, 0}, Next::retry}, now);
    case Reading::Outcome::refused:
      ++statistics_.unusable_answers;
      return fail_one(flight, id, {{ErrorCategory::invalid_request, reading.problem, 0}, Next::fail}, now);
    case Reading::Outcome::broken_off: break;
  }
  if (failure.error) {
    if (failure.next == Next::come_later) note_wait(failure, endpoints_[flight.endpoint], now);
    return fail_one(flight, id, failure, now);
  }
  const ServerWords words{reading.problem, {}, 0, {}, 0};
  fail_one(flight, id, judge_status(reading.status == 0 ? 500 : reading.status, words, secrets_), now);
}

void Scheduler::accept(const Flight& flight, JobId id, Reading& reading) {
  Endpoint& endpoint = endpoints_[flight.endpoint];
  endpoint.failing_since.reset();
  endpoint.trouble_told = false;
  ++statistics_.answers;
  if (!reading.has_usage) ++statistics_.answers_without_usage;
  if (reading.cleaning.any()) ++statistics_.cleaned_answers;
  if (reading.off_choices) ++statistics_.ignored_choices;
  Completion& completion = reading.completion;
  if (!completion.thought.empty()) ++statistics_.answers_with_thoughts;
  if (!secrets_.empty()) {
    completion.text = redacted(std::move(completion.text), secrets_);
    completion.thought = redacted(std::move(completion.thought), secrets_);
    for (TokenLogprob& token : completion.tokens) token.token = redacted(std::move(token.token), secrets_);
  }
  end(id, std::move(completion));
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
        Next::fail};
  }
  if (result.code == CURLE_OK) {
    if (result.status >= 300 && result.status < 400) {
      return HttpFailure{
          {ErrorCategory::invalid_request,
           fmt::format("status {}: redirected to another server, by another method or in a circle: refused",
                       result.status),
           0},
          Next::fail};
    }
    return judge_status(result.status, result.body, secrets_);
  }
  ++statistics_.lost_connections;
  if (never_reached(result)) {
    mark_down(endpoint, result.error, now);
    return HttpFailure{{ErrorCategory::transport, result.error, 0}, Next::come_later};
  }
  const Next next = cannot_work(result.code) ? Next::fail : Next::retry;
  return HttpFailure{{ErrorCategory::transport, result.error, 0}, next};
}

void Scheduler::mark_down(Endpoint& endpoint, const std::string& problem, Clock::time_point now) {
  endpoint.last_problem = fmt::format("{}: {}", endpoint.description.base_url, problem);
  hold_back(endpoint, now);
  if (endpoint.down_since) return;
  endpoint.down_since = now;
  count_healthy();
  if (healthy_ == 0) {
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
