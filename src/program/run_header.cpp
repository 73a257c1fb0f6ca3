// SPDX-License-Identifier: MIT
#include "run_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string_view>

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

/// The settings of a run, whatever version wrote them.
AgentSettings settings_of(const Json& options) {
  AgentSettings settings;
  for (const std::string& name : options.names())
    (void)apply_setting(fmt::format("{}={}", name, options[name].string()), settings);
  return settings;
}

using Difference = std::optional<RunDifference>;

Difference compare_options(const Json& then, const Json& now) {
  const AgentSettings before = settings_of(then);
  const AgentSettings after = settings_of(now);
  for (const Setting& each : settings())
    if (each.get(before) != each.get(after))
      return RunDifference{std::string(each.name), each.get(before), each.get(after)};
  return {};
}

Difference compare_value(std::string_view name, const Json& then, const Json& now);

Difference compare_members(const Json& then, const Json& now) {
  for (const std::string& name : then.names()) {
    const Json* other = now.find(name);
    if (other == nullptr) return RunDifference{name, shown(then[name]), "absent"};
    if (auto found = compare_value(name, then[name], *other)) return found;
  }
  for (const std::string& name : now.names())
    if (then.find(name) == nullptr) return RunDifference{name, "absent", shown(now[name])};
  return {};
}

Difference compare_value(std::string_view name, const Json& then, const Json& now) {
  if (then.kind() != now.kind()) return RunDifference{std::string(name), shown(then), shown(now)};
  if (name == "options") return compare_options(then, now);
  if (then.kind() == Json::Kind::object) return compare_members(then, now);
  if (then.kind() == Json::Kind::array) {
    const auto& before = then.array();
    const auto& after = now.array();
    if (before.size() != after.size())
      return RunDifference{fmt::format("number of {}", name), fmt::to_string(before.size()),
                           fmt::to_string(after.size())};
    for (std::size_t i = 0; i < before.size(); ++i)
      if (auto found = compare_value(name, before[i], after[i])) return found;
    return {};
  }
  if (shown(then) != shown(now)) return RunDifference{std::string(name), shown(then), shown(now)};
  return {};
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

AgentSettings recorded_settings(const RecordLog& log) {
  try {
    return settings_of(Json::parse(log.header())["runs"]["runs"].array().at(0)["options"]);
  } catch (const std::exception& error) {  // out of range, too
    throw InvalidArgument(
        fmt::format("{}: it is not the log of a run that this version knows: {}", log.name(), error.what()));
  }
}

std::string recorded_model(const RecordLog& log) {
  LineReader lines = log.recorded();
  std::string line;
  if (!lines.next(line)) return {};
  const Json begun = Json::parse(line);
  const Json* const part = begun.find("begin");
  const Json* const model = part == nullptr ? nullptr : part->find("model");
  return model == nullptr ? std::string() : model->string();
}

std::optional<RunDifference> first_difference(const Json& then, const Json& now) {
  // What runs do says more than the horizons that follow from it.
  const Json* const runs = then.find("runs");
  const Json* const others = now.find("runs");
  if (runs != nullptr && others != nullptr)
    if (auto found = compare_value("runs", *runs, *others)) return found;
  return compare_value("runs", then, now);
}

void check_same_runs(std::string_view asked_by, const std::string& then, const std::string& now) {
  if (const auto found = first_difference(Json::parse(then)["runs"], Json::parse(now)["runs"]))
    throw InvalidArgument(fmt::format("{}: the run was begun with other options: {} was '{}', and is '{}'", asked_by,
                                      found->what, found->then, found->now));
}

}  // namespace icpi::program
