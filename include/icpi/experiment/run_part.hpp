// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/core/transition.hpp"
#include "icpi/experiment/record_log.hpp"
#include "icpi/models/completion_record.hpp"

namespace icpi {

/// The first observation of an episode, or why there is none.
struct RecordedStart {
  std::uint64_t seed = 0;     ///< of the run
  std::uint64_t episode = 0;  ///< number within the run
  std::string observation;    ///< as text
  std::string error;          ///< what the environment threw; empty: nothing
};

/// Which action was chosen.
struct RecordedDecision {
  std::uint64_t seed = 0;    ///< of the run
  std::uint64_t action = 0;  ///< number among the environment's actions
};

/// What came of an action.
struct RecordedStep {
  std::uint64_t seed = 0;   ///< of the run
  std::string observation;  ///< as text
  double reward = 0;        ///< what was gained
  bool terminated = false;  ///< the task was over
  bool truncated = false;   ///< the episode was broken off
  std::string error;        ///< what the environment threw; empty: nothing
};

/// The part of a run log that belongs to one agent, or to agents that play in lockstep: everything that happened, in
/// order, each record written before the next thing begins.
///
/// A run that is continued is played again from its beginning: the same code asks the same questions and takes the same
/// steps, answers come from the log (LoggedModel), and every record is compared with what the log says, until the log
/// ends and new records are added. What differs from the log throws InvalidArgument naming file and offset, so a run is
/// never continued with another program, other options or another environment.
/// Thread-safety: one part by one thread at a time; parts of one log may be used concurrently.
class RunPart {
 public:
  /// Part `number` of a log that outlives it.
  RunPart(RecordLog& log, std::size_t number)
      : log_(&log), prefix_(fmt::format("{{\"part\":{},", number)), reader_(log.recorded()) {}

  /// Whether records are left that are not played again yet.
  [[nodiscard]] bool replaying() { return look_ahead(); }

  /// The first record: what must not change between sessions, as JSON.
  void begin(std::string_view json) { record("begin", json); }

  /// Episodes began.
  void started(std::span<const RecordedStart> starts) {
    record_list("starts", starts, [](const RecordedStart& start, std::string& out) {
      JsonLine item;
      item.add("seed", start.seed).add("episode", start.episode);
      if (start.error.empty()) item.add("observation", start.observation);
      if (!start.error.empty()) item.add("error", start.error);
      out += item.str();
    });
  }

  /// Actions were chosen. Answers of the model that nobody took are forgotten.
  void decided(std::span<const RecordedDecision> decisions) {
    load_answers();
    answers_.clear();
    record_list("decisions", decisions, [](const RecordedDecision& decision, std::string& out) {
      out += fmt::format("[{},{}]", decision.seed, decision.action);
    });
  }

  /// Actions were carried out.
  void stepped(std::span<const RecordedStep> steps) {
    record_list("steps", steps, [](const RecordedStep& step, std::string& out) {
      JsonLine item;
      item.add("seed", step.seed);
      if (step.error.empty()) {
        item.add("observation", step.observation).add("reward", step.reward);
        item.add("terminated", step.terminated).add("truncated", step.truncated);
      } else {
        item.add("error", step.error);
      }
      out += item.str();
    });
  }

  /// Adds any other record; in a replay, returns the one that was recorded in its place.
  std::string summarised(std::string_view kind, std::string_view json) {
    if (!next_is(kind)) {
      record(kind, json);
      return std::string(json);
    }
    ahead_ = false;
    return line_.substr(prefix_.size() + kind.size() + 3);
  }

  /// What the environment threw according to the next record, by seed: what is played again fails again, without
  /// asking the environment. `kind`: "starts" or "steps".
  [[nodiscard]] std::map<std::uint64_t, std::string> recorded_errors(std::string_view kind) {
    std::map<std::uint64_t, std::string> errors;
    if (!next_is(kind) || line_.find("\"error\":") == std::string::npos) return errors;
    const Json list = next_json(kind);
    for (const Json& item : list.array()) {
      if (const Json* error = item.find("error")) errors[item["seed"].integer<std::uint64_t>()] = error->string();
    }
    return errors;
  }

  /// The recorded answer to a request of the decision in progress, the first that was not taken yet.
  [[nodiscard]] std::optional<Json> take_answer(const RequestFingerprint& request) {
    load_answers();
    const auto found = answers_.find(request);
    if (found == answers_.end()) return std::nullopt;
    std::optional<Json> answer = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) answers_.erase(found);
    return answer;
  }

  /// Whether the decision in progress is in the log: then all its answers are too.
  [[nodiscard]] bool is_decided() {
    load_answers();
    return look_ahead();
  }

  /// Adds answers: a JSON array of objects that name their request, see RequestFingerprint::str(), as "request".
  void answered(std::string_view list) { append("answers", list); }

  /// The next record to be played again, as JSON, if it is of this kind.
  [[nodiscard]] std::optional<Json> peek(std::string_view kind) {
    if (!next_is(kind)) return std::nullopt;
    return next_json(kind);
  }

  /// Throws InvalidArgument that the log says something else.
  [[noreturn]] void contradict(std::string_view what) const {
    throw InvalidArgument(
        fmt::format("{}, offset {}: {}: the run was recorded with another program, model, environment or options",
                    log_->name(), reader_.begin(), what));
  }

 private:
  bool look_ahead() {
    while (!ahead_ && reader_.next(line_)) {
      ahead_ = line_.starts_with(prefix_);
      line_.resize(detail::checked_part(line_).size());
    }
    return ahead_;
  }

  bool next_is(std::string_view kind) {
    if (!look_ahead()) return false;
    const std::string_view rest = std::string_view(line_).substr(prefix_.size());
    return rest.size() > kind.size() + 3 && rest.substr(1, kind.size()) == kind && rest[kind.size() + 1] == '"';
  }

  /// Of the record looked at.
  Json next_json(std::string_view kind) const {
    try {
      return Json::parse(std::string_view(line_).substr(prefix_.size() + kind.size() + 3));
    } catch (const InvalidArgument& error) {
      contradict(error.what());
    }
  }

  void load_answers() {
    while (next_is("answers")) {
      const Json list = next_json("answers");
      for (const Json& answer : list.array())
        answers_[detail::read_fingerprint(answer["request"].string())].push_back(answer);
      ahead_ = false;
    }
  }

  [[nodiscard]] std::string line(std::string_view kind, std::string_view json) const {
    return fmt::format("{}\"{}\":{}", prefix_, kind, json);
  }

  void append(std::string_view kind, std::string_view json) { log_->append(line(kind, json) + '}'); }

  void record(std::string_view kind, std::string_view json) {
    if (!look_ahead()) return append(kind, json);
    if (const std::string now = line(kind, json); now != line_)
      contradict(fmt::format("recorded is {}, but now it is {}", shortened(line_), shortened(now)));
    ahead_ = false;
  }

  template <class Item, class Append>
  void record_list(std::string_view kind, std::span<const Item> items, Append&& append_item) {
    std::string list = "[";
    for (const Item& item : items) {
      if (list.size() > 1) list += ',';
      append_item(item, list);
    }
    record(kind, list + ']');
  }

  static std::string shortened(std::string_view text) {
    constexpr std::size_t most = 300;
    return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "...";
  }

  RecordLog* log_;
  std::string prefix_;
  LineReader reader_;
  std::string line_;
  bool ahead_ = false;  ///< `line_` is a record of this part that is not played again yet
  std::map<RequestFingerprint, std::deque<Json>> answers_;
};

}  // namespace icpi
