// SPDX-License-Identifier: MIT
#include "icpi/policy/saved_agent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "icpi/core/checked_line.hpp"
#include "icpi/core/checked_lines.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

namespace {

constexpr int version = 2;  ///< the first one with legal actions; files without are of version 1
constexpr std::string_view format_name = "icpi agent";
constexpr std::array<std::string_view, 3> kind_names{"trajectory", "steps", "close"};

using Count = std::uint64_t Costs::*;
constexpr std::array<std::pair<std::string_view, Count>, 12> saved_counts{
    {{"lm_calls", &Costs::lm_calls},
     {"prompt_tokens", &Costs::prompt_tokens},
     {"cached_tokens", &Costs::cached_tokens},
     {"completion_tokens", &Costs::completion_tokens},
     {"rounds", &Costs::rounds},
     {"retries", &Costs::retries},
     {"invalid", &Costs::invalid},
     {"failures", &Costs::failures},
     {"over_budget", &Costs::over_budget},
     {"cancelled", &Costs::cancelled},
     {"deduplicated", &Costs::deduplicated},
     {"wasted", &Costs::wasted}}};

std::string header_of(const SavedAgent& agent) {
  JsonLine costs;
  for (const auto& [name, member] : saved_counts) costs.add(name, agent.costs.*member);
  JsonLine line;
  line.add("format", format_name).add("version", agent.legal.empty() ? 1 : version);
  line.add("decisions", agent.decisions).add("prompts", agent.prompts).add("queries", agent.queries);
  line.add("model", agent.model).add("seed", agent.seed);
  line.add_list("actions", agent.actions, append_json_string);
  line.add("given", agent.given).add("given_hash", agent.given_hash);
  line.add("episodes", agent.episodes).add_raw("costs", costs.str());
  line.add("events", agent.events.size()).add("steps", agent.steps.size());
  if (!agent.legal.empty()) line.add("legal", agent.legal.size());
  return line.str();
}

std::string text_of(const MemoryEvent& event) {
  return JsonLine().add("event", kind_names.at(static_cast<std::size_t>(event.kind))).add("count", event.count).str();
}

std::string text_of(const SavedStep& step) {
  JsonLine line;
  line.add("observation", step.observation).add("action", step.action).add("reward", step.reward);
  line.add("terminated", step.terminated).add("truncated", step.truncated);
  return line.add("next_observation", step.next_observation).str();
}

std::string text_of(const SavedLegal& legal) {
  JsonLine line;
  line.add("seen", legal.text);
  line.add_list("legal", legal.actions, [](std::uint32_t action, std::string& out) { out += fmt::to_string(action); });
  return line.str();
}

void read_header(const Json& header, SavedAgent& agent) {
  if (header["format"].string() != format_name) throw InvalidArgument("it is not a saved agent");
  if (const int written = header["version"].integer<int>(); written < 1 || written > version)
    throw InvalidArgument(fmt::format("it is of version {}; this library reads 1 to {}", written, version));
  agent.decisions = header["decisions"].string();
  agent.prompts = header["prompts"].string();
  agent.queries = header["queries"].string();
  agent.model = header["model"].string();
  agent.seed = header["seed"].integer<std::uint64_t>();
  for (const Json& action : header["actions"].array()) agent.actions.push_back(action.string());
  agent.given = header["given"].integer<std::uint64_t>();
  agent.given_hash = header["given_hash"].integer<std::uint64_t>();
  agent.episodes = header["episodes"].integer<std::uint64_t>();
  for (const auto& [name, member] : saved_counts) agent.costs.*member = header["costs"][name].integer<std::uint64_t>();
}

MemoryEvent read_event(const Json& line) {
  const std::string& kind = line["event"].string();
  for (std::size_t i = 0; i < kind_names.size(); ++i)
    if (kind_names[i] == kind) return {static_cast<MemoryEvent::Kind>(i), line["count"].integer<std::uint64_t>()};
  throw InvalidArgument(fmt::format("unknown event '{}'", kind));
}

SavedStep read_step(const Json& line) {
  return {line["observation"].string(), line["action"].integer<std::uint64_t>(),
          line["reward"].number(),      line["terminated"].boolean(),
          line["truncated"].boolean(),  line["next_observation"].string()};
}

SavedLegal read_legal(const Json& line, std::size_t actions) {
  SavedLegal legal{line["seen"].string(), {}};
  for (const Json& action : line["legal"].array()) {
    legal.actions.push_back(action.integer<std::uint32_t>());
    if (legal.actions.back() >= actions)
      throw InvalidArgument(fmt::format("action {} of {} is legal", legal.actions.back(), actions));
  }
  if (legal.actions.empty() ||
      std::adjacent_find(legal.actions.begin(), legal.actions.end(), std::greater_equal<>()) != legal.actions.end())
    throw InvalidArgument("legal actions are not ascending, or there are none");
  return legal;
}

}  // namespace

void write_saved_agent(const std::string& file, const SavedAgent& agent) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw Error(fmt::format("{}: the agent cannot be saved: it is no regular file", file));
  const std::string partial = file + ".partial";
  const auto fail = [&](std::string_view why) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw Error(fmt::format("{}: the agent cannot be saved: {}", file, why));
  };
  {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    detail::ChecksumChain chain;
    const auto write = [&](std::string text) { out << chain.add(std::move(text)) << '\n'; };
    write(header_of(agent));
    for (const MemoryEvent& event : agent.events) write(text_of(event));
    for (const SavedStep& step : agent.steps) write(text_of(step));
    for (const SavedLegal& legal : agent.legal) write(text_of(legal));
    out.flush();
    if (!out) fail("the file cannot be written");
  }
  std::filesystem::rename(partial, file, error);
  if (error) fail(error.message());
}

SavedAgent read_saved_agent(const std::string& file) {
  detail::CheckedLines lines(file, file, detail::LineOrder::chained);
  const auto read = [&](std::size_t count, auto take) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::optional<Json> line = lines.next();
      if (!line) lines.refuse("the file ends too early");
      lines.at_line([&] { take(*line); });
    }
  };
  SavedAgent agent;
  std::size_t events = 0;
  std::size_t steps = 0;
  std::size_t sets = 0;
  read(1, [&](const Json& header) {
    read_header(header, agent);
    events = header["events"].integer<std::size_t>();
    steps = header["steps"].integer<std::size_t>();
    const Json* const legal = header.find("legal");
    sets = legal == nullptr ? 0 : legal->integer<std::size_t>();
  });
  read(events, [&](const Json& line) { agent.events.push_back(read_event(line)); });
  read(steps, [&](const Json& line) { agent.steps.push_back(read_step(line)); });
  read(sets, [&](const Json& line) { agent.legal.push_back(read_legal(line, agent.actions.size())); });
  if (!lines.at_end()) lines.refuse("there is more behind it than the first line says");
  return agent;
}

void check_same_agent(const SavedAgent& saved, const SavedAgent& now) {
  const auto expect = [](std::string_view name, const auto& then, const auto& is) {
    if (then == is) return;
    throw InvalidArgument(
        fmt::format("load: it was saved by another agent: {} were '{}', and are '{}'", name, then, is));
  };
  expect("decisions", saved.decisions, now.decisions);
  expect("prompts", saved.prompts, now.prompts);
  expect("queries", saved.queries, now.queries);
  expect("the model's identity and settings", saved.model, now.model);
  expect("seeds", saved.seed, now.seed);
  expect("numbers of actions", saved.actions.size(), now.actions.size());
  for (std::size_t i = 0; i < saved.actions.size(); ++i) expect("texts of an action", saved.actions[i], now.actions[i]);
  expect("transitions given at construction", saved.given, now.given);
  expect("contents of the experience given at construction", saved.given_hash, now.given_hash);
}

}  // namespace icpi
