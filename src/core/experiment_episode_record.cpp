// SPDX-License-Identifier: MIT
#include "icpi/experiment/episode_record.hpp"

#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

std::string to_json(const EpisodeRecord& record) {
  JsonLine line;
  line.add("domain", record.domain)
      .add("agent", record.agent)
      .add("model", record.model)
      .add("seed", record.seed)
      .add("episode", record.episode)
      .add("step", record.step)
      .add("length", record.length)
      .add("return", record.episode_return);
  if (record.optimum_known)
    line.add("optimal_return", record.optimal_return).add("regret", record.regret);
  else
    line.add_raw("optimal_return", "null").add_raw("regret", "null");
  line.add("terminated", record.terminated)
      .add("truncated", record.truncated)
      .add("lm_calls", record.lm_calls)
      .add("prompt_tokens", record.prompt_tokens)
      .add("computed_tokens", record.computed_tokens)
      .add("completion_tokens", record.completion_tokens)
      .add("invalid", record.invalid)
      .add("failures", record.failures)
      .add("over_budget", record.over_budget)
      .add("cancelled", record.cancelled)
      .add("environment_error", record.environment_error);
  if (record.undiscounted_return) line.add("undiscounted_return", *record.undiscounted_return);
  if (record.discounted_return) line.add("discounted_return", *record.discounted_return);
  if (record.environment) line.add("environment", *record.environment);
  return line.str();
}

EpisodeRecord parse_episode_record(std::string_view line) {
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
  record.optimum_known = json["optimal_return"].kind() != Json::Kind::null;
  if (record.optimum_known) {
    record.optimal_return = json["optimal_return"].number();
    record.regret = json["regret"].number();
  }
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
  if (const Json* value = json.find("undiscounted_return")) record.undiscounted_return = value->number();
  if (const Json* value = json.find("discounted_return")) record.discounted_return = value->number();
  if (json.find("environment") != nullptr) record.environment = count("environment");
  if (record.length == 0 || record.length > record.step)
    throw InvalidArgument("an episode has at least one step, and none before the run's first");
  return record;
}

}  // namespace icpi
