// SPDX-License-Identifier: MIT
// Where requests go: which servers there are, and which of them takes the next one.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "scheduler.hpp"

namespace icpi::http {

namespace {

constexpr std::size_t failures_until_down = 3;

}  // namespace

void Scheduler::prepare(Endpoint& endpoint) const {
  endpoint.request_url = dialect_.url(endpoint.base) + query_;
  const std::size_t slots = endpoint.description.slots;
  if (options_.pin_slots && endpoint.description.kind == ServerKind::llama_server && slots > 1) {
    endpoint.slots.emplace(slots);
  }
}

void Scheduler::set_endpoints(std::vector<Endpoint> listed) {
  for (Endpoint& known : endpoints_) {
    const auto same =
        std::find_if(listed.begin(), listed.end(), [&](const Endpoint& each) { return each.place == known.place; });
    const bool stays = same != listed.end();
    if (stays) listed.erase(same);
    if (stays == !known.retired) continue;
    known.retired = !stays;
    if (known.retired) let_out(known);
    tell(fmt::format("http: {} {}", known.description.base_url,
                     stays ? "is listed again" : "is not listed any more; it gets no further requests"));
  }
  for (Endpoint& added : listed) {
    tell(fmt::format("http: {} takes requests too", added.description.base_url));
    prepare(added);
    const auto free = std::find_if(endpoints_.begin(), endpoints_.end(),
                                   [](const Endpoint& each) { return each.retired && each.in_flight == 0; });
    if (free == endpoints_.end()) {
      endpoints_.push_back(std::move(added));
    } else {
      *free = std::move(added);
    }
  }
  count_healthy();
  all_busy_ = false;
}

void Scheduler::count_healthy() {
  const auto count = std::count_if(endpoints_.begin(), endpoints_.end(), [](const Endpoint& e) { return e.healthy(); });
  healthy_ = static_cast<std::size_t>(count);
}

/// Whether a server may take requests again when time has passed, and nothing else has happened.
bool Scheduler::somebody_rests(Clock::time_point now) const {
  return std::any_of(endpoints_.begin(), endpoints_.end(),
                     [now](const Endpoint& each) { return !each.retired && each.rests(now); });
}

std::size_t Scheduler::endpoints() const noexcept {
  const auto listed =
      std::count_if(endpoints_.begin(), endpoints_.end(), [](const Endpoint& each) { return !each.retired; });
  return static_cast<std::size_t>(listed);
}

/// Those who wait for a place in one of its lanes go elsewhere.
void Scheduler::let_out(Endpoint& endpoint) {
  for (auto& [key, lane] : endpoint.lanes) {
    for (const JobId id : lane.waiting) {
      const auto job = jobs_.find(id);
      if (job == jobs_.end()) continue;
      job->second.state = State::ready;
      ready_.push_back(id);
    }
    lane.waiting.clear();
  }
}

/// Whether the server's own limits have room; else it is left alone until they have. Longer than anybody is willing to
/// wait it is not: then it is up to the server to refuse.
bool Scheduler::server_allows(Endpoint& endpoint, const Demand& demand, Clock::time_point now) {
  const auto opening = endpoint.rates.opening(demand, now);
  if (!opening || opening->at - now > options_.retries.patience) return true;
  endpoint.block(opening->at);
  endpoint.wait_reason =
      fmt::format("{}: the limit of its {} is used up", endpoint.description.base_url, opening->limit);
  return false;
}

/// Where a prefix is kept, unless that server carries too much; without a prefix where least is under way.
std::optional<std::size_t> Scheduler::choose_endpoint(std::uint64_t key, const Demand& demand,
                                                      Clock::time_point now) const {
  const std::uint64_t load = demand.tokens() + tokens_under_way_;
  // "Consistent hashing with bounded loads" (Mirrokni, Thorup and Zadimoghaddam 2018): nobody takes over 1.25 x mean.
  const double bound = 1.25 * static_cast<double>(load) / static_cast<double>(std::max<std::size_t>(healthy_, 1));
  std::optional<std::size_t> best;
  std::tuple<bool, std::uint64_t, std::uint64_t> best_rank;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const Endpoint& endpoint = endpoints_[i];
    if (!endpoint.available(now)) continue;
    const std::tuple rank{key == 0 || static_cast<double>(endpoint.tokens_under_way) < bound,
                          key == 0 ? ~endpoint.tokens_under_way : 0, key == 0 ? 0 : affinity(endpoint, key)};
    if (!best || rank > best_rank) {
      best = i;
      best_rank = rank;
    }
  }
  return best;
}

/// A server that fails whatever it takes on is left out as one that is away, as long as there is another: it gets a
/// request now and then until it answers.
void Scheduler::note_failure(Endpoint& endpoint, const std::string& problem, Clock::time_point now) {
  if (++endpoint.failures_in_a_row < failures_until_down) return;
  const bool others = std::any_of(endpoints_.begin(), endpoints_.end(),
                                  [&](const Endpoint& each) { return &each != &endpoint && each.healthy(); });
  if (others || endpoint.down_since) mark_down(endpoint, problem, now);
}

}  // namespace icpi::http
