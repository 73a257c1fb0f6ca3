// SPDX-License-Identifier: MIT
#include "run_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "agent_settings.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi::program {

namespace {

/// What a JSON value says, as people write it.
std::string shown(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::string: return value.string();
    case Json::Kind::number: return fmt::to_string(value.number());
    case Json::Kind::boolean: return value.boolean() ? "true" : "false";
    default: return "a list";
  }
}

[[noreturn]] void refuse(std::string_view what, std::string_view then, std::string_view now) {
  throw InvalidArgument(
      fmt::format("--resume: the run was begun with other options: {} was '{}', and is '{}'", what, then, now));
}

/// The settings of a run, whatever version wrote them.
AgentSettings settings_of(const Json& options) {
  AgentSettings settings;
  for (const std::string& name : options.names())
    (void)apply_setting(fmt::format("{}={}", name, options[name].string()), settings);
  return settings;
}

void check_options(const Json& then, const Json& now) {
  const AgentSettings before = settings_of(then);
  const AgentSettings after = settings_of(now);
  for (const Setting& each : settings())
    if (each.get(before) != each.get(after)) refuse(each.name, each.get(before), each.get(after));
}

void check_members(const Json& then, const Json& now);

void check_value(std::string_view name, const Json& then, const Json& now) {
  if (then.kind() != now.kind()) refuse(name, shown(then), shown(now));
  if (name == "options") return check_options(then, now);
  if (then.kind() == Json::Kind::object) return check_members(then, now);
  if (then.kind() == Json::Kind::array) {
    if (then.array().size() != now.array().size())
      refuse(fmt::format("number of {}", name), fmt::to_string(then.array().size()),
             fmt::to_string(now.array().size()));
    for (std::size_t i = 0; i < then.array().size(); ++i) check_value(name, then.array()[i], now.array()[i]);
    return;
  }
  if (shown(then) != shown(now)) refuse(name, shown(then), shown(now));
}

void check_members(const Json& then, const Json& now) {
  for (const std::string& name : then.names()) {
    const Json* other = now.find(name);
    if (other == nullptr) refuse(name, shown(then[name]), "absent");
    check_value(name, then[name], *other);
  }
  for (const std::string& name : now.names())
    if (then.find(name) == nullptr) refuse(name, "absent", shown(now[name]));
}

/// Whether a log is of a version that knew only former names; its default options were the paper's.
bool of_former_names(const Json& header) {
  const auto& runs = header["runs"]["runs"].array();
  return !runs.empty() && runs.front()["options"].find("rule") != nullptr;
}

}  // namespace

std::string run_header(const std::vector<std::string>& words, const std::vector<PlannedRun>& runs) {
  std::string described = describe_runs(runs);
  std::erase(described, '\n');
  JsonLine line;
  line.add_list("command", words, append_json_string);
  line.add_raw("runs", described);
  return line.str();
}

std::vector<std::string> recorded_command(const RecordLog& log) {
  std::vector<std::string> words;
  try {
    const Json header = Json::parse(log.header());
    for (const Json& word : header["command"].array()) words.push_back(word.string());
    const bool names_options = std::any_of(words.begin(), words.end(), [](const std::string& word) {
      return word == "--options" || word.starts_with("--options=");
    });
    if (!names_options && of_former_names(header)) words.insert(words.end(), {"--options", "paper"});
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: it is not the log of a command: {}", log.name(), error.what()));
  }
  return words;
}

void check_same_runs(const std::string& then, const std::string& now) {
  check_value("runs", Json::parse(then)["runs"], Json::parse(now)["runs"]);
}

}  // namespace icpi::program
