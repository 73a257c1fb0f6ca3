// SPDX-License-Identifier: MIT
// What is sent when. Where: scheduler_endpoints.cpp; its results: scheduler_answers.cpp; how jobs end:
// scheduler_endings.cpp.
#include "scheduler.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "choices.hpp"
#include "fields.hpp"

namespace icpi::http {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t pinned_in_flight = 2;  // one in work, one to follow without a pause
constexpr std::size_t most_lanes = 65536;

}  // namespace

Scheduler::Scheduler(const Options& options, const Capabilities& capabilities, WireSettings settings, Wire& wire,
                     std::vector<Endpoint> endpoints, Sink sink)
    : options_(options),
      capabilities_(capabilities),
      dialect_(strategy(options.dialect)),
      secrets_(std::move(settings.secrets)),
      shape_(shape_of(options.request)),
      wire_(wire),
      query_(std::move(settings.query)),
      endpoints_(std::move(endpoints)),
      sink_(std::move(sink)) {
  for (Endpoint& endpoint : endpoints_) prepare(endpoint);
  count_healthy();
}

void Scheduler::add(JobId id, const CompletionRequest& request) {
  const auto now = wire_.now();
  Job& job = jobs_[id];
  job.request = request;
  job.key = prefix_key(request.prefix);
  std::string fault = find_fault(request, options_);
  for (const Endpoint& endpoint : endpoints_) {
    if (fault.empty()) fault = find_choice_fault(options_, endpoint.description.kind, request.choices);
  }
  if (!fault.empty()) {
    end_with_error(id, {ErrorCategory::invalid_request, "http: " + fault, 0});
    return;
  }
  const RequestShape& shape = options_.request;
  const double temperature = request.sampling.temperature.value_or(shape.lowest_temperature);
  if (!clamp_told_ && (temperature < shape.lowest_temperature || temperature > shape.highest_temperature)) {
    clamp_told_ = true;
    const double sent = std::clamp(temperature, shape.lowest_temperature, shape.highest_temperature);
    const std::string line =
        fmt::format("http: temperature {} is sent as {}: the service takes no other", temperature, sent);
    if (options_.learned->is_news(line)) tell(line);
  }
  if (request.timeout > 0ms) {
    job.deadline = now + request.timeout;
    deadlines_.emplace(*job.deadline, id);
  }
  ready_.push_back(id);
  // Requests that may share one HTTP request wait until the caller has handed over all it has: for the next turn.
  if (options_.prompts_per_request == 1) dispatch(now);
}

void Scheduler::dispatch(Clock::time_point now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const JobId id = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    jobs_.at(id).state = State::ready;
    ready_.push_back(id);
  }
  while (!ready_.empty() && !all_busy_) {
    const JobId id = ready_.front();
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) {
      ready_.pop_front();
      continue;
    }
    const Demand demand = demand_of(found->second.request);
    const auto endpoint = choose_endpoint(found->second.key, demand, now);
    if (!endpoint) {
      all_busy_ = !somebody_rests(now);
      break;
    }
    const auto lane = lane_of(*endpoint, found->second.request);
    if (lane && lane_is_full(*endpoint, *lane)) {
      found->second.state = State::waiting_in_lane;
      endpoints_[*endpoint].lanes[*lane].waiting.push_back(id);
      ready_.pop_front();
      continue;
    }
    if (!server_allows(endpoints_[*endpoint], demand, now)) continue;
    if (!rate_allows(demand, now)) break;
    endpoints_[*endpoint].rates.take(demand);
    ready_.pop_front();
    start(take_companions(id), *endpoint, lane, now);
  }
}

Demand Scheduler::demand_of(const CompletionRequest& request) const {
  return {static_cast<double>(request.prefix.text.size() + request.query.size()) * tokens_a_byte_,
          static_cast<double>(sent_max_tokens(options_, request).value_or(0))};
}

bool Scheduler::rate_allows(const Demand& demand, Clock::time_point now) {
  if (rate_clock_ > now || token_clock_ > now) return false;
  if (options_.requests_per_minute > 0) {
    const auto interval = seconds_of(60 / options_.requests_per_minute);
    rate_clock_ = std::max(rate_clock_, now - interval) + interval;
  }
  if (options_.tokens_per_minute > 0) {
    const double tokens = demand.prompt_tokens + demand.completion_tokens;
    token_clock_ = std::max(token_clock_, now) + seconds_of(60 * tokens / options_.tokens_per_minute);
  }
  return true;
}

std::optional<std::uint64_t> Scheduler::lane_of(std::size_t endpoint, const CompletionRequest& request) {
  if (request.prefix.identity == 0) return std::nullopt;
  Endpoint& server = endpoints_[endpoint];
  if (server.slots) return server.slots->assign(request.prefix.identity);
  if (!options_.warm_prefixes) return std::nullopt;
  if (server.lanes.size() >= most_lanes) {
    std::erase_if(server.lanes, [](const auto& lane) { return lane.second.in_flight == 0; });
  }
  return request.prefix.identity;
}

bool Scheduler::lane_is_full(std::size_t endpoint, std::uint64_t lane) const {
  const Endpoint& server = endpoints_[endpoint];
  const auto found = server.lanes.find(lane);
  if (found == server.lanes.end()) return false;
  if (server.slots) return found->second.in_flight >= pinned_in_flight;
  return !found->second.warm && found->second.in_flight > 0;
}

std::vector<JobId> Scheduler::take_companions(JobId first) {
  std::vector<JobId> jobs{first};
  if (options_.prompts_per_request == 1 || !dialect_.prompt_arrays()) return jobs;
  const Job& job = jobs_.at(first);
  while (jobs.size() < options_.prompts_per_request && !ready_.empty()) {
    const auto next = jobs_.find(ready_.front());
    if (next != jobs_.end()) {
      if (next->second.key != job.key || !combinable(job.request, next->second.request)) break;
      jobs.push_back(next->first);
    }
    ready_.pop_front();
  }
  return jobs;
}

void Scheduler::start(std::vector<JobId> jobs, std::size_t endpoint, std::optional<std::uint64_t> lane,
                      Clock::time_point now) {
  Flight flight;
  flight.endpoint = endpoint;
  flight.lane = lane;
  flight.started = now;
  flight.deadline = now + options_.attempt_timeout;
  for (const JobId id : jobs) {
    Job& job = jobs_.at(id);
    job.state = State::in_flight;
    if (job.sent) ++statistics_.retries;
    job.sent = true;
    flight.tokens += demand_of(job.request).tokens();
  }
  flight.jobs = jobs;
  send(jobs, std::move(flight), endpoints_[endpoint].request_url);
}

void Scheduler::send(const std::vector<JobId>& jobs, Flight flight, const std::string& url) {
  Endpoint& server = endpoints_[flight.endpoint];
  refresh_shape();
  flight.shape_version = shape_version_;
  WireContext context{options_, capabilities_.model, shape_, server.description.kind, std::nullopt};
  if (server.slots && flight.lane) context.slot = static_cast<std::size_t>(*flight.lane);
  std::vector<const CompletionRequest*> requests;
  for (const JobId id : jobs) {
    requests.push_back(&jobs_.at(id).request);
    statistics_.prompt_bytes += requests.back()->prefix.text.size() + requests.back()->query.size();
  }
  std::string body = wire_.take_buffer();
  dialect_.write(context, requests, body);
  const TransferId id = wire_.start(url, std::move(body));
  ++statistics_.requests;
  ++server.in_flight;
  server.tokens_under_way += flight.tokens;
  tokens_under_way_ += flight.tokens;
  server.control.on_start(server.in_flight);
  if (flight.lane) ++server.lanes[*flight.lane].in_flight;
  flight.active = true;
  flight_deadlines_.emplace(flight.deadline, id);
  if (flights_.size() <= id) flights_.resize(id + 1);
  flights_[id] = std::move(flight);
}

Scheduler::Flight Scheduler::land(TransferId id) {
  Flight flight = std::move(flights_[id]);
  flights_[id] = {};
  flight_deadlines_.erase({flight.deadline, id});
  Endpoint& server = endpoints_[flight.endpoint];
  --server.in_flight;
  server.tokens_under_way -= flight.tokens;
  tokens_under_way_ -= flight.tokens;
  all_busy_ = false;
  if (!flight.lane) return flight;
  Lane& lane = server.lanes[*flight.lane];
  --lane.in_flight;
  // One place became free; everybody may leave when nothing is left in flight that would let them out later.
  std::size_t leaving = lane.in_flight == 0 || (lane.warm && !server.slots) ? lane.waiting.size() : 1;
  std::size_t position = 0;
  for (; leaving > 0 && !lane.waiting.empty(); --leaving) {
    const JobId waiting = lane.waiting.front();
    lane.waiting.pop_front();
    const auto job = jobs_.find(waiting);
    if (job == jobs_.end()) continue;
    job->second.state = State::ready;
    ready_.insert(ready_.begin() + static_cast<std::ptrdiff_t>(position++), waiting);
  }
  return flight;
}

void Scheduler::turn(Clock::duration wait) {
  const std::uint64_t ended_before = ended_jobs_;
  auto now = wire_.now();
  if (options_.interrupted) {
    if (options_.interrupted()) return cancel_all();
    wait = std::min<Clock::duration>(wait, 100ms);
  }
  dispatch(now);
  fail_without_servers(now);
  refuse_while_closed(now);
  announce_wait(now);
  if (ended_jobs_ != ended_before) wait = Clock::duration::zero();
  wire_.run(std::min(wait, time_to_next_event(now)), ended_);
  now = wire_.now();
  for (TransferResult& result : ended_) {
    handle(result, now);
    wire_.recycle(std::move(result.body));
  }
  ended_.clear();
  send_redirected();
  expire(now);
  dispatch(now);
}

Clock::duration Scheduler::time_to_next_event(Clock::time_point now) const {
  auto next = now + 1h;
  if (!delayed_.empty()) next = std::min(next, delayed_.begin()->first);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (!flight_deadlines_.empty()) next = std::min(next, flight_deadlines_.begin()->first);
  if (!ready_.empty() && !all_busy_) {
    if (const auto due = std::max(rate_clock_, token_clock_); due > now) next = std::min(next, due);
    for (const Endpoint& endpoint : endpoints_) {
      if (endpoint.blocked_until > now) next = std::min(next, endpoint.blocked_until);
    }
  }
  return std::max(Clock::duration::zero(), next - now);
}

}  // namespace icpi::http
