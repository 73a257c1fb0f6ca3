// SPDX-License-Identifier: MIT
#include "environment_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"

namespace icpi::detail {

namespace {

constexpr std::size_t shown_bytes = 100;

std::string shortened(std::string_view text) {
  return text.size() <= shown_bytes ? std::string(text) : fmt::format("{}...", text.substr(0, shown_bytes));
}

void check(const ProcessOptions& options, std::size_t environments) {
  const bool one = options.command.empty() != options.shell_command.empty();
  check_option(one, "command and shell_command",
               one                       ? "one"
               : options.command.empty() ? "neither"
                                         : "both",
               "one of them");
  check_option(options.command.empty() || !options.command[0].empty(), "command", "", "the name of a program first");
  check_option(options.start_timeout.count() > 0, "start_timeout", options.start_timeout.count(), "above 0 ms");
  check_option(options.timeout.count() > 0, "timeout", options.timeout.count(), "above 0 ms");
  check_option(options.longest_answer >= 1024, "longest_answer", options.longest_answer, "at least 1024 bytes");
  check_option(options.discount > 0 && options.discount <= 1, "discount", options.discount, "above 0, at most 1");
  check_option(options.window >= 1 && options.window <= 64, "window", options.window, "1 to 64");
  check_option(environments >= 1, "environments", environments, "at least 1");
}

std::vector<std::string> words_of(const ProcessOptions& options) {
  if (options.shell_command.empty()) return options.command;
  return {"/bin/sh", "-c", options.shell_command};
}

std::string title_of(const ProcessOptions& options) {
  std::string title = options.shell_command;
  for (const auto& word : options.command) title += (title.empty() ? "" : " ") + word;
  return fmt::format("environment '{}'", shortened(title));
}

/// What is wrong with text that is not JSON.
std::string no_json(std::string_view answer, std::string_view reason) {
  for (const std::string_view number : {"NaN", "Infinity"}) {
    if (answer.find(number) != std::string_view::npos)
      return fmt::format("{} is no number of JSON: values and rewards are finite", number);
  }
  return std::string(reason);
}

}  // namespace

template <class Read>
auto EnvironmentServer::ask(std::string_view request, JsonLine line, Read&& read) {
  if (!failure_.empty()) throw EnvironmentUnreachable(failure_);
  const std::uint64_t id = ++requests_;
  line.add("id", id).add("request", request);
  const bool first = id == 1;
  std::string answer;
  try {
    answer = child_->exchange(line.str() + '\n', first ? options_.start_timeout : options_.timeout);
  } catch (const ChildSilence& silence) {
    fail(fmt::format("{} (request '{}'); more is allowed by {}", silence.what(), request,
                     first ? "start_timeout (--env-start-timeout)" : "timeout (--env-timeout)"));
  } catch (const ChildFailure& failure) {
    fail(fmt::format("{} (request '{}')", failure.what(), request));
  }
  std::optional<Json> json;
  try {
    json = Json::parse(answer);
  } catch (const InvalidArgument& error) {
    fail(fmt::format("answers '{}' to '{}': {}", shortened(answer), request, no_json(answer, error.what())));
  }
  std::string refused;
  try {
    const auto answered = (*json)["id"].integer<std::uint64_t>();
    if (answered != id) throw InvalidArgument(fmt::format("id: it is {}, not {}", answered, id));
    const Json* error = json->find("error");
    if (error == nullptr || error->kind() == Json::Kind::null) return read(*json);
    refused = error->string();
  } catch (const InvalidArgument& error) {
    fail(fmt::format("answers '{}' to '{}': {}", shortened(answer), request, error.what()));
  }
  throw Error(refused.empty() ? "an error without a message" : refused);
}

EnvironmentServer::EnvironmentServer(const ProcessOptions& options, std::size_t environments)
    : options_(options), title_(title_of(options)) {
  check(options, environments);
  try {
    child_.emplace(words_of(options), options.longest_answer, options.interrupted);
  } catch (const ChildFailure& failure) {
    fail(failure.what());
  }
  JsonLine line;
  line.add("protocol", protocol_version).add("environments", environments);
  try {
    spec_ = ask("spec", std::move(line), [](const Json& answer) { return read_spec(answer); });
  } catch (const EnvironmentUnreachable&) {
    throw;
  } catch (const Error& refusal) {
    throw InvalidArgument(fmt::format("{}: {}", title_, refusal.what()));
  }
  text_.emplace(spec_.fields);
}

std::string EnvironmentServer::last_words() { return child_ ? child_->last_words() : std::string(); }

EnvironmentServer::~EnvironmentServer() {
  if (child_ && failure_.empty()) child_->say("{\"request\":\"close\"}\n");
}

void EnvironmentServer::fail(std::string_view what) {
  failure_ = fmt::format("{}: its process {}", title_, what);
  if (child_) {
    child_->kill();
    const std::string words = child_->last_words();
    if (!words.empty()) failure_ += fmt::format("; it said last: {}", words);
  }
  throw EnvironmentUnreachable(failure_);
}

std::vector<EnvironmentAnswer> EnvironmentServer::with_all_legal(std::vector<EnvironmentAnswer> answers) const {
  for (auto& each : answers) {
    if (!spec_.legal_actions) each.legal_actions = spec_.actions;
  }
  return answers;
}

std::vector<EnvironmentAnswer> EnvironmentServer::reset(std::span<const std::size_t> environments,
                                                        std::span<const std::uint64_t> seeds) {
  const auto number = [](auto each, std::string& out) { out += fmt::to_string(each); };
  JsonLine line;
  line.add_list("environments", environments, number).add_list("seeds", seeds, number);
  return with_all_legal(ask("reset", std::move(line), [&](const Json& answer) {
    return read_answers(answer, environments.size(), false, spec_, *text_);
  }));
}

std::vector<EnvironmentAnswer> EnvironmentServer::step(std::span<const std::size_t> environments,
                                                       std::span<const std::string* const> actions) {
  JsonLine line;
  line.add_list("environments", environments, [](std::size_t each, std::string& out) { out += fmt::to_string(each); });
  line.add_list("actions", actions, [](const std::string* each, std::string& out) { append_json_string(*each, out); });
  return with_all_legal(ask("step", std::move(line), [&](const Json& answer) {
    return read_answers(answer, environments.size(), true, spec_, *text_);
  }));
}

std::vector<std::string> EnvironmentServer::set_state(std::size_t environment, const FieldValues& observation,
                                                      std::uint64_t seed) {
  std::string values;
  append_values(observation, values);
  JsonLine line;
  line.add("environment", environment).add_raw("observation", values).add("seed", seed);
  return ask("set_state", std::move(line), [&](const Json& answer) {
    return spec_.legal_actions ? read_legal_actions(answer["legal_actions"], spec_) : spec_.actions;
  });
}

std::vector<std::string> EnvironmentServer::legal_actions(const FieldValues& observation) {
  if (!spec_.legal_actions) return spec_.actions;
  std::string values;
  append_values(observation, values);
  JsonLine line;
  line.add_raw("observation", values);
  return ask("legal_actions", std::move(line),
             [&](const Json& answer) { return read_legal_actions(answer["legal_actions"], spec_); });
}

}  // namespace icpi::detail
