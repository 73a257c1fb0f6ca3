// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/json.hpp"
#include "icpi/experiment/record_log.hpp"
#include "icpi/models/completion_record.hpp"

namespace icpi {

/// The first observation of an episode, or why there is none.
struct RecordedStart {
  std::uint64_t seed = 0;                      ///< of the run
  std::uint64_t episode = 0;                   ///< number within the run
  std::string observation;                     ///< as text
  std::string error;                           ///< what the environment threw; empty: nothing
  std::optional<std::uint64_t> environment{};  ///< which, where several share one agent
};

/// Which action was chosen.
struct RecordedDecision {
  std::uint64_t seed = 0;              ///< of the run
  std::uint64_t action = 0;            ///< number among the environment's actions
  std::vector<std::uint32_t> legal{};  ///< the numbers of those that were legal, ascending; empty: all, or nobody said
  std::optional<std::uint64_t> environment{};  ///< see RecordedStart
};

/// What came of an action.
struct RecordedStep {
  std::uint64_t seed = 0;                      ///< of the run
  std::string observation;                     ///< as text
  double reward = 0;                           ///< what was gained
  bool terminated = false;                     ///< the task was over
  bool truncated = false;                      ///< the episode was broken off
  std::string error;                           ///< what the environment threw; empty: nothing
  std::optional<std::uint64_t> environment{};  ///< see RecordedStart
};

/// The part of a run log that belongs to one agent, or to agents that play side by side: everything that happened, in
/// order, each record written before the next thing begins.
///
/// A run that is continued is played again from its beginning: the same code asks the same questions and takes the same
/// steps, answers come from the log (LoggedModel), and every record is compared with what the log says, until the log
/// ends and new records are added. What differs from the log throws InvalidArgument naming file and offset, so a run is
/// never continued with another program, other options or another environment.
/// Thread-safety: one part by one thread at a time; parts of one log may be used concurrently.
class ICPI_API RunPart {
 public:
  /// Part `number` of a log that outlives it.
  RunPart(RecordLog& log, std::size_t number);

  /// Whether records are left that are not played again yet.
  [[nodiscard]] bool replaying();

  /// The first record: what must not change between sessions, as JSON.
  void begin(std::string_view json);

  /// Episodes began.
  void started(std::span<const RecordedStart> starts);

  /// Actions were chosen. Answers of the model that nobody took are forgotten.
  void decided(std::span<const RecordedDecision> decisions);

  /// Actions were carried out.
  void stepped(std::span<const RecordedStep> steps);

  /// Adds any other record; in a replay, returns the one that was recorded in its place.
  std::string summarised(std::string_view kind, std::string_view json);

  /// What environments threw, by seed and, where several share one agent, environment.
  using Errors = std::map<std::pair<std::uint64_t, std::optional<std::uint64_t>>, std::string>;

  /// What environments threw according to the next record: what is played again fails again, without asking them. `kind`:
  /// "starts" or "steps".
  [[nodiscard]] Errors recorded_errors(std::string_view kind);

  /// The recorded answer to a request of the decision in progress, the first that was not taken yet.
  [[nodiscard]] std::optional<Json> take_answer(const RequestFingerprint& request);

  /// Whether the decision in progress is in the log: then all its answers are too.
  [[nodiscard]] bool is_decided();

  /// Adds answers: a JSON array of objects that name their request, see RequestFingerprint::str(), as "request".
  void answered(std::string_view list);

  /// The next record to be played again, as JSON, if it is of this kind.
  [[nodiscard]] std::optional<Json> peek(std::string_view kind);

  /// Throws InvalidArgument that the log says something else.
  [[noreturn]] void contradict(std::string_view what) const;

 private:
  bool look_ahead();
  bool next_is(std::string_view kind);
  [[nodiscard]] Json next_json(std::string_view kind) const;  ///< of the record looked at
  void load_answers();
  [[nodiscard]] std::string line(std::string_view kind, std::string_view json) const;
  void append(std::string_view kind, std::string_view json);
  void record(std::string_view kind, std::string_view json);

  RecordLog* log_;
  std::string prefix_;
  LineReader reader_;
  std::string line_;
  bool ahead_ = false;  ///< `line_` is a record of this part that is not played again yet
  std::map<RequestFingerprint, std::deque<Json>> answers_;
};

}  // namespace icpi
