// SPDX-License-Identifier: MIT
// What happens when a server refuses: waits, and requests of another shape.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "adaptation.hpp"
#include "scheduler.hpp"

namespace icpi::http {

namespace {

using namespace std::chrono_literals;
using Next = HttpFailure::Next;

constexpr std::size_t refusals_until_down = 3;

}  // namespace

/// After a refusal of fields that can be left out or have another name, the questions go back into the queue. Whether
/// that is so; else `failure` may say what the user could do.
bool Scheduler::adapt(const TransferResult& result, const Flight& flight, HttpFailure& failure) {
  const bool refused = result.code == CURLE_OK && (result.status == 400 || result.status == 422);
  if (!refused || failure.error.category != ErrorCategory::invalid_request || !options_.request.adapt) return false;
  const auto living =
      std::find_if(flight.jobs.begin(), flight.jobs.end(), [&](JobId id) { return jobs_.contains(id); });
  if (living == flight.jobs.end()) return false;
  const Endpoint& endpoint = endpoints_[flight.endpoint];
  refresh_shape();
  if (flight.shape_version == shape_version_) {
    const CompletionRequest* request = &jobs_.at(*living).request;
    std::string body;
    dialect_.write({options_, capabilities_.model, shape_, endpoint.description.kind, std::nullopt}, {&request, 1},
                   body);
    const ServerWords words = read_server_words(parse_answer(result.body), result.body);
    const auto refusal = find_refusal(words, body, shape_, *request);
    if (!refusal) return false;
    if (refusal->belongs) {
      failure.error.message +=
          fmt::format("; '{}' belongs to what was asked: request.omit (--omit {}) leaves it to the server",
                      refusal->field, refusal->field);
      return false;
    }
    const bool left_out = refusal->other.empty();
    LearnedRequest& learned = *options_.learned;
    const bool news = left_out ? learned.leave_out(refusal->field) : learned.rename(refusal->field, refusal->other);
    if (!news && learned.version() == shape_version_) return false;
    if (news)
      tell(fmt::format("http: {}: {}; from now on '{}' is {}", endpoint.description.base_url, failure.error.message,
                       refusal->field, left_out ? "left out" : fmt::format("sent as '{}'", refusal->other)));
  }
  for (const JobId id : flight.jobs) {
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) continue;
    job->second.state = State::ready;
    ready_.push_front(id);
  }
  return true;
}

/// Where there seems to be no such route, the error says which one was asked for and how others are.
void Scheduler::advise(const TransferResult& result, const Endpoint& endpoint, HttpFailure& failure) const {
  const bool no_route =
      result.code == CURLE_OK && (result.status == 404 || result.status == 405 || result.status == 501);
  const bool about_model = failure.error.message.find(capabilities_.model) != std::string::npos;
  if (!no_route || about_model) return;
  const Dialect other = options_.dialect == Dialect::chat ? Dialect::completions : Dialect::chat;
  failure.error.message += fmt::format(
      "; the dialect {} asks {}: where there is no such route, another one may fit, as --dialect {}, which asks {}, or "
      "that of the service (--service NAME)",
      name(options_.dialect), dialect_.url(endpoint.base), name(other), strategy(other).url(endpoint.base));
}

void Scheduler::refresh_shape() {
  const std::uint64_t version = options_.learned->version();
  if (version == shape_version_) return;
  shape_ = options_.learned->applied_to(shape_of(options_.request));
  shape_version_ = version;
}

/// A server that says how long is left alone for as long, whatever went wrong.
void Scheduler::note_wait(const HttpFailure& failure, Endpoint& endpoint, Clock::time_point now) {
  const double asked = failure.error.retry_after_seconds;
  endpoint.wait_reason = fmt::format("{}: {}", endpoint.description.base_url, failure.error.message);
  if (asked <= 0 || failure.next == Next::fail) return;
  const Clock::duration patience = options_.retries.patience;
  if (failure.next == Next::come_later && seconds_of(asked) > patience) {
    endpoint.closed_until = now + seconds_of(asked);
    endpoint.closed_because = failure.error;
    endpoint.closed_because.message = fmt::format("http: {} (it asks to wait {:.0f} s)", endpoint.wait_reason, asked);
    return;
  }
  const auto until = now + std::min<Clock::duration>(seconds_of(asked), patience);
  if (asked >= 10 && until > endpoint.blocked_until + 1s)
    tell(fmt::format("http: {} asks to wait {} s ({})", endpoint.description.base_url, asked, failure.error.message));
  endpoint.block(until);
}

void Scheduler::note_refusal(const HttpFailure& failure, long status, const Flight& flight, Clock::time_point now) {
  Endpoint& endpoint = endpoints_[flight.endpoint];
  ++statistics_.refusals;
  if (failure.next == Next::fail) return;
  ++endpoint.refusals_in_a_row;
  if (status == 429) endpoint.control.on_refusal(flight.started, now);
  if (failure.error.retry_after_seconds <= 0 && (status == 429 || endpoints() > 1)) hold_back(endpoint, now);
  if (status != 429 && endpoint.refusals_in_a_row >= refusals_until_down)
    mark_down(endpoint, failure.error.message, now);
}

/// Once for a crowd of requests that fail together.
void Scheduler::hold_back(Endpoint& endpoint, Clock::time_point now) {
  if (now < endpoint.blocked_until) return;
  endpoint.block(now + backoff(++endpoint.times_held_back));
}

}  // namespace icpi::http
