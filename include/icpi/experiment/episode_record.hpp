// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

/// What one episode of a run came to: one line of episodes.jsonl. Returns and regret are discounted with the
/// evaluation discount and divided by the domain's maximum, so that regrets lie in [0, 1].
struct EpisodeRecord {
  std::string domain;                   ///< where
  std::string agent;                    ///< which method, ablations included: "icpi", "icpi-no-hints", ...
  std::string model;                    ///< identity of the language model; empty: none
  std::uint64_t seed = 0;               ///< of the run
  std::uint64_t episode = 0;            ///< number within the run: 0, 1, ...
  std::uint64_t step = 0;               ///< environment steps taken in the run when the episode ended
  std::uint64_t length = 0;             ///< steps of the episode
  double episode_return = 0;            ///< achieved; "return" in the file
  double optimal_return = 0;            ///< best possible from the start of the episode
  double regret = 0;                    ///< their difference
  bool terminated = false;              ///< ended by the environment
  bool truncated = false;               ///< ended by the time limit
  std::uint64_t lm_calls = 0;           ///< in this episode
  std::uint64_t prompt_tokens = 0;      ///< in this episode
  std::uint64_t computed_tokens = 0;    ///< prompt tokens not served from a kept prefix
  std::uint64_t completion_tokens = 0;  ///< in this episode
  std::uint64_t invalid = 0;            ///< predictions that could not be read: the model's
  std::uint64_t failures = 0;           ///< answers that did not come: the model's infrastructure
  std::uint64_t over_budget = 0;        ///< requests that a budget refused
  std::uint64_t cancelled = 0;          ///< requests that were called off
  std::string environment_error;        ///< what the environment threw: the episode failed; empty: nothing

  friend bool operator==(const EpisodeRecord&, const EpisodeRecord&) = default;
};

/// The record as one line of JSON, without a newline.
[[nodiscard]] inline std::string to_json(const EpisodeRecord& record) {
  return JsonLine{}
      .add("domain", record.domain)
      .add("agent", record.agent)
      .add("model", record.model)
      .add("seed", record.seed)
      .add("episode", record.episode)
      .add("step", record.step)
      .add("length", record.length)
      .add("return", record.episode_return)
      .add("optimal_return", record.optimal_return)
      .add("regret", record.regret)
      .add("terminated", record.terminated)
      .add("truncated", record.truncated)
      .add("lm_calls", record.lm_calls)
      .add("prompt_tokens", record.prompt_tokens)
      .add("computed_tokens", record.computed_tokens)
      .add("completion_tokens", record.completion_tokens)
      .add("invalid", record.invalid)
      .add("failures", record.failures)
      .add("over_budget", record.over_budget)
      .add("cancelled", record.cancelled)
      .add("environment_error", record.environment_error)
      .str();
}

/// Reads a line of episodes.jsonl; what tells failures apart may be missing, as in older records. Throws InvalidArgument
/// when it is no such line.
[[nodiscard]] inline EpisodeRecord parse_episode_record(std::string_view line) {
  const Json json = Json::parse(line);
  const auto count = [&](std::string_view name) { return json[name].integer<std::uint64_t>(); };
  EpisodeRecord record;
  record.domain = json["domain"].string();
  record.agent = json["agent"].string();
  record.model = json["model"].string();
  record.seed = count("seed");
  record.episode = count("episode");
  record.step = count("step");
  record.length = count("length");
  record.episode_return = json["return"].number();
  record.optimal_return = json["optimal_return"].number();
  record.regret = json["regret"].number();
  record.terminated = json["terminated"].boolean();
  record.truncated = json["truncated"].boolean();
  record.lm_calls = count("lm_calls");
  record.prompt_tokens = count("prompt_tokens");
  record.computed_tokens = count("computed_tokens");
  record.completion_tokens = count("completion_tokens");
  if (json.find("invalid") != nullptr) {
    record.invalid = count("invalid");
    record.failures = count("failures");
    record.over_budget = count("over_budget");
    record.cancelled = count("cancelled");
    record.environment_error = json["environment_error"].string();
  }
  if (record.length == 0 || record.length > record.step)
    throw InvalidArgument("an episode has at least one step, and none before the run's first");
  return record;
}

}  // namespace icpi
