// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "printable.hpp"

namespace icpi::program {

/// A file of transitions, one JSON object a line, with which an agent begins.
class HistoryFile {
 public:
  /// Throws InvalidArgument, naming file and line, for what cannot be read or is no JSON.
  explicit HistoryFile(const std::string& file);

  /// How many there are, at least one.
  [[nodiscard]] std::size_t size() const noexcept { return lines_.size(); }
  /// Other ones for other contents.
  [[nodiscard]] const std::string& checksum() const noexcept { return checksum_; }

  /// Calls read(line) for each line in order. What it throws as InvalidArgument is thrown with file and line.
  void for_each(const std::function<void(const Json&)>& read) const;

 private:
  [[noreturn]] void refuse(std::size_t line, std::string_view why) const;

  std::string name_;
  std::string checksum_;
  std::vector<std::pair<std::size_t, Json>> lines_;  ///< that are not blank, with their numbers
};

/// What parse(formatter, text) reads in a text of prompts, as one of the formatters wrote it. Throws InvalidArgument.
template <class Value, class Formatters, class Parse>
Value read_prompt_text(const Json& value, QueryKind kind, const Formatters& formatters, Parse&& parse) {
  for (const auto& formatter : formatters)
    if (auto read = parse(formatter, without_stop(value.string(), formatter.stop(kind)))) return std::move(*read);
  throw InvalidArgument(fmt::format("'{}' is no {} as prompts have it", printable_line(value.string()), name(kind)));
}

/// The transitions of a file as episodes, which end where they are terminated or truncated; the last may be cut off.
/// `read_observation(json)` and `read_action(json)` throw InvalidArgument for values that are none. Throws InvalidArgument,
/// naming file and line, for lines that are no transition, and for an observation that is not what the line before led to.
template <Environment Env, class ReadObservation, class ReadAction>
std::vector<TrajectoryOf<Env>> episodes_of(const HistoryFile& file, ReadObservation&& read_observation,
                                           ReadAction&& read_action) {
  std::vector<TrajectoryOf<Env>> episodes;
  bool ended = true;
  file.for_each([&](const Json& line) {
    const Json* const truncated = line.find("truncated");
    TransitionOf<Env> step{read_observation(line["observation"]),
                           read_action(line["action"]),
                           line["reward"].number(),
                           line["terminated"].boolean(),
                           truncated != nullptr && truncated->boolean(),
                           read_observation(line["next_observation"])};
    if (ended)
      episodes.emplace_back();
    else if (!(episodes.back().back().next_observation == step.observation))
      throw InvalidArgument(
          "its observation is not the next_observation of the line before; an episode ends with terminated or "
          "truncated");
    step.truncated = step.truncated && !step.terminated;
    ended = step.terminated || step.truncated;
    episodes.back().push_back(std::move(step));
  });
  return episodes;
}

}  // namespace icpi::program
