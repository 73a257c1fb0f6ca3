// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adaptation.hpp"
#include "dialect.hpp"
#include "endpoint.hpp"
#include "icpi/core/random.hpp"
#include "icpi/http/language_model.hpp"
#include "reading.hpp"
#include "settings.hpp"
#include "wire.hpp"

namespace icpi::http {

/// Names a completion under way; never reused, never 0.
using JobId = std::uint64_t;

/// Decides what is sent when and where: queue -> lane -> endpoint -> transfer, and back through retries. Knows no HTTP
/// beyond statuses and no JSON beyond calling the dialect.
/// Thread-safety: one object by one thread at a time.
class Scheduler {
 public:
  /// Receives every job exactly once, inside add, turn or cancel.
  using Sink = std::function<void(JobId, Completion&&)>;

  Scheduler(const Options& options, const Capabilities& capabilities, WireSettings settings, Wire& wire,
            std::vector<Endpoint> endpoints, Sink sink);

  /// The servers from now on, at least one. One that was there stays as it is; one that is not listed any more gets no
  /// further requests, and what is under way there may end.
  void set_endpoints(std::vector<Endpoint> listed);
  /// How many of them there are.
  [[nodiscard]] std::size_t endpoints() const noexcept;

  /// Queues a request and sends it if there is room.
  void add(JobId id, const CompletionRequest& request);
  /// Ends a job as `cancelled`; unknown ones are ignored.
  void cancel(JobId id);
  /// Moves everything that can be moved; waits up to `wait` for something to happen, not at all once a job ended.
  void turn(Clock::duration wait);

  [[nodiscard]] std::size_t jobs() const noexcept { return jobs_.size(); }
  [[nodiscard]] Statistics statistics() const;

 private:
  enum class State : std::uint8_t { ready, waiting_in_lane, delayed, in_flight };
  struct Job {
    CompletionRequest request;
    std::uint64_t key = 0;  ///< of the prefix
    State state = State::ready;
    int failures = 0;  ///< attempts that failed after the server took them on
    int refusals = 0;  ///< since the last such attempt
    bool sent = false;
    std::optional<Clock::time_point> first_refusal;
    std::optional<Clock::time_point> deadline;
    Clock::time_point due;  ///< while delayed
    Usage spent;            ///< on whole answers, also those that could not be used
    Usage told;             ///< part of `spent` that Options::ask_again knows
  };
  struct Flight {
    std::vector<JobId> jobs;  ///< 0: cancelled meanwhile
    std::size_t endpoint = 0;
    std::optional<std::uint64_t> lane;
    std::uint64_t tokens = 0;         ///< as Endpoint::tokens_under_way counts them
    std::uint64_t shape_version = 0;  ///< of the body that was sent
    Clock::time_point started;
    Clock::time_point deadline;
    int hops = 0;  ///< redirects followed
    bool active = false;
  };
  struct Redirect {
    Flight flight;
    std::string url;
  };

  void dispatch(Clock::time_point now);
  [[nodiscard]] Demand demand_of(const CompletionRequest& request) const;
  bool rate_allows(const Demand& demand, Clock::time_point now);
  bool server_allows(Endpoint& endpoint, const Demand& demand, Clock::time_point now);
  void prepare(Endpoint& endpoint) const;
  void count_healthy();
  [[nodiscard]] bool somebody_rests(Clock::time_point now) const;
  void let_out(Endpoint& endpoint);
  std::optional<std::size_t> choose_endpoint(std::uint64_t key, const Demand& demand, Clock::time_point now) const;
  std::optional<std::uint64_t> lane_of(std::size_t endpoint, const CompletionRequest& request);
  bool lane_is_full(std::size_t endpoint, std::uint64_t lane) const;
  std::vector<JobId> take_companions(JobId first);
  void start(std::vector<JobId> jobs, std::size_t endpoint, std::optional<std::uint64_t> lane, Clock::time_point now);
  void send(const std::vector<JobId>& jobs, Flight flight, const std::string& url);

  Flight land(TransferId id);
  void handle(TransferResult& result, Clock::time_point now);
  void read_answer(const TransferResult& result, const Flight& flight, Clock::time_point now);
  std::vector<Reading> readings_of(const TransferResult& result, const Flight& flight, HttpFailure& failure) const;
  void settle(const Flight& flight, JobId id, Reading& reading, const HttpFailure& failure, Clock::time_point now);
  void accept(const Flight& flight, JobId id, Reading& reading);
  void book(const Flight& flight, std::vector<Reading>& readings);
  void learn_density(const Flight& flight, const Usage& cost);
  bool follow_redirect(const TransferResult& result, const Flight& flight);
  void send_redirected();
  HttpFailure judge_transfer(const TransferResult& result, Endpoint& endpoint, Clock::time_point now);
  void note_wait(const HttpFailure& failure, Endpoint& endpoint, Clock::time_point now);
  void note_refusal(const HttpFailure& failure, long status, const Flight& flight, Clock::time_point now);
  void note_failure(Endpoint& endpoint, const std::string& problem, Clock::time_point now);
  void hold_back(Endpoint& endpoint, Clock::time_point now);
  void mark_down(Endpoint& endpoint, const std::string& problem, Clock::time_point now);
  void mark_up(Endpoint& endpoint, Clock::time_point now);
  bool adapt(const TransferResult& result, const Flight& flight, HttpFailure& failure);
  void advise(const TransferResult& result, const Endpoint& endpoint, HttpFailure& failure) const;
  void refresh_shape();
  void fail(const Flight& flight, const HttpFailure& failure, Clock::time_point now);
  void fail_one(const Flight& flight, JobId id, HttpFailure failure, Clock::time_point now);
  void tell_of_trouble(Endpoint& endpoint, Clock::time_point began, const HttpFailure& failure, Clock::time_point now);
  void fail_job(JobId id, HttpFailure failure, Clock::time_point now);
  [[nodiscard]] bool may_ask_again(Job& job) const;
  void retry_at(JobId id, Clock::duration delay, CompletionError error, Clock::time_point now);
  [[nodiscard]] Clock::duration backoff(int failures);

  void take_off_the_list(JobId id);
  void expire(Clock::time_point now);
  void fail_without_servers(Clock::time_point now);
  void refuse_while_closed(Clock::time_point now);
  void announce_wait(Clock::time_point now);
  void cancel_all();
  void end(JobId id, Completion&& completion);
  void end_with_error(JobId id, CompletionError error);
  [[nodiscard]] Clock::duration time_to_next_event(Clock::time_point now) const;
  void tell(const std::string& line) const;

  const Options& options_;
  const Capabilities& capabilities_;
  const DialectStrategy& dialect_;
  std::vector<std::string> secrets_;
  BodyShape shape_;
  std::uint64_t shape_version_ = 0;  ///< of what was learned and is in shape_
  bool clamp_told_ = false;          ///< that a temperature is out of the service's range
  Wire& wire_;
  std::string query_;                   ///< end of the URLs
  std::vector<Endpoint> endpoints_;     ///< some may be retired; their places are given out again
  std::size_t healthy_ = 0;             ///< of them
  std::uint64_t tokens_under_way_ = 0;  ///< at all of them
  bool all_busy_ = false;               ///< none takes a request before something lands, however long that takes
  Sink sink_;
  RandomStream jitter_{RandomKey(0x6A69747465720000U)};

  std::unordered_map<JobId, Job> jobs_;
  std::deque<JobId> ready_;  ///< may name jobs that ended
  std::set<std::pair<Clock::time_point, JobId>> delayed_;
  std::set<std::pair<Clock::time_point, JobId>> deadlines_;
  std::vector<Flight> flights_;  ///< index: TransferId
  std::set<std::pair<Clock::time_point, TransferId>> flight_deadlines_;
  std::vector<TransferResult> ended_;  ///< while they are worked through, their ids may be given out again
  std::vector<Redirect> redirected_;   ///< so these wait until that is done
  Clock::time_point rate_clock_{};     ///< when the next request is due at requests_per_minute
  Clock::time_point token_clock_{};    ///< the same, at tokens_per_minute
  double tokens_a_byte_ = 0.3;         ///< of prompts, as answers told last
  std::uint64_t ended_jobs_ = 0;
  bool wait_announced_ = false;  ///< Options::waiting was told of a wait that is not over
  Statistics statistics_;
};

}  // namespace icpi::http
