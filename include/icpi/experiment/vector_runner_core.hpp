// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/core/costs.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/policy/training.hpp"

namespace icpi {

/// What a run does when its environment throws: the episode ends as failed, what was learned stays, and then?
enum class OnEnvironmentError : std::uint8_t {
  stop,    ///< EnvironmentError is thrown; a logged run that is continued goes on with the next episode
  proceed  ///< the next episode begins
};

/// An environment threw something else than EnvironmentUnreachable, or gave a reward that is not finite.
class ICPI_API EnvironmentError : public Error {
 public:
  using Error::Error;
};

/// What is written into the records of runs, how returns are judged, and when to stop.
struct RunSettings {
  std::string domain;       ///< see EpisodeRecord
  std::string agent;        ///< see EpisodeRecord
  std::string model;        ///< see EpisodeRecord
  std::size_t steps = 0;    ///< of every run; an episode that crosses this is completed
  double discount = 1;      ///< evaluation discount
  double return_scale = 1;  ///< returns are divided by this
  OnEnvironmentError on_environment_error = OnEnvironmentError::stop;  ///< how to go on after it
  /// Given: the records have the undiscounted and, with this discount, the discounted return too.
  std::optional<double> planning_discount{};
  std::function<bool()> interrupted{};                ///< asked before every round; true: stop there
  std::size_t episode_steps = default_episode_steps;  ///< an episode that does not end by itself is truncated then
};

/// The part of VectorRunner that knows no type: records, costs, errors and the log. Runs are numbered 0, 1, ...
/// Thread-safety: one object by one thread at a time.
class ICPI_API VectorRunnerCore {
 public:
  VectorRunnerCore(const VectorRunnerCore&) = delete;
  VectorRunnerCore& operator=(const VectorRunnerCore&) = delete;

 protected:
  /// What an environment answers, besides the observation.
  struct Outcome {
    double reward = 0;        ///< finite
    bool terminated = false;  ///< the task is over
    bool truncated = false;   ///< the episode was broken off
  };
  using Sink = std::function<bool(const EpisodeRecord&)>;  ///< false: stop after this round

  /// What tells a run from others: its seed and, where several environments share one agent, the environment.
  using Name = std::pair<std::uint64_t, std::optional<std::uint64_t>>;

  /// One run for each name. `part`, which may be null, must outlive this object. Throws InvalidArgument for
  /// settings out of range.
  VectorRunnerCore(RunSettings settings, RunPart* part, std::span<const Name> names);
  virtual ~VectorRunnerCore();

  /// Plays to the end. Returns whether it got there.
  bool play_runs(const Sink& on_episode);

 private:
  using Errors = RunPart::Errors;            ///< by name
  using Numbers = std::vector<std::size_t>;  ///< of runs

  struct Run {
    EpisodeRecord record;
    Costs costs_before;
    double weight = 1;
    double planning_weight = 1;
    bool ended = false;  ///< the episode
    bool finished = false;
  };

  // The environments' and the agents' side.
  virtual void reset(std::size_t run, std::uint64_t seed) = 0;  ///< may throw anything
  /// Episodes of these runs are about to begin: reset() of each comes next, with its seed.
  virtual void begin_resets(std::span<const std::size_t> runs, std::span<const std::uint64_t> seeds) = 0;
  [[nodiscard]] virtual double optimal_return(std::size_t run) = 0;        ///< from the first observation on
  virtual void begin_episode(std::size_t run) = 0;                         ///< of the agent
  virtual void act(std::span<const std::size_t> runs) = 0;                 ///< every agent chooses
  [[nodiscard]] virtual std::uint64_t action_number(std::size_t run) = 0;  ///< of what it chose
  [[nodiscard]] virtual std::vector<std::uint32_t> legal_numbers(std::size_t run) = 0;  ///< see RecordedDecision
  virtual void begin_steps(std::span<const std::size_t> runs) = 0;                      ///< step() of each comes next
  [[nodiscard]] virtual Outcome step(std::size_t run) = 0;                              ///< may throw anything
  virtual void truncate(std::size_t run) = 0;                        ///< the step breaks the episode off
  virtual void observe(std::size_t run) = 0;                         ///< the agent is told
  virtual void forget_observation(std::size_t run) = 0;              ///< there is none now
  [[nodiscard]] virtual std::string text_of(std::size_t run) = 0;    ///< of the observation; empty: there is none
  [[nodiscard]] virtual const Costs& costs_of(std::size_t run) = 0;  ///< of the agent

  void start_episodes(Numbers starting, const Sink& on_episode);
  void begin_resets_of(const Numbers& starting, const Errors& known);
  [[nodiscard]] std::uint64_t episode_seed(std::size_t run) const;
  [[nodiscard]] Name name_of(std::size_t run) const;
  void start_episode(std::size_t run, const Errors& known);
  void guarded(std::size_t run, const Errors& known, const std::function<void()>& call);
  void choose(const Numbers& live);
  void take_steps(const Numbers& live);
  double take_step(std::size_t run, const Errors& known);
  void finish_episode(std::size_t run, const Sink& on_episode);
  [[nodiscard]] EpisodeRecord complete_record(std::size_t run);
  void stop_on_failure() const;
  [[nodiscard]] Errors recorded_errors(std::string_view kind) const;

  RunSettings settings_;
  RunPart* part_;
  std::vector<Run> runs_;
  bool wanted_ = true;
  std::string failure_;  ///< the first one that is not from the record
};

}  // namespace icpi
