// SPDX-License-Identifier: MIT
#include "icpi/experiment/run_part.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <utility>

#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

namespace {

std::string shortened(std::string_view text) {
  constexpr std::size_t most = 300;
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "...";
}

/// `append_item(item, out)` writes one item of the list.
template <class Item, class Append>
std::string list_of(std::span<const Item> items, Append&& append_item) {
  std::string list = "[";
  for (const Item& item : items) {
    if (list.size() > 1) list += ',';
    append_item(item, list);
  }
  return list + ']';
}

}  // namespace

RunPart::RunPart(RecordLog& log, std::size_t number)
    : log_(&log), prefix_(fmt::format("{{\"part\":{},", number)), reader_(log.recorded()) {}

bool RunPart::replaying() { return look_ahead(); }

void RunPart::begin(std::string_view json) { record("begin", json); }

void RunPart::started(std::span<const RecordedStart> starts) {
  record("starts", list_of(starts, [](const RecordedStart& start, std::string& out) {
           JsonLine item;
           item.add("seed", start.seed).add("episode", start.episode);
           if (start.environment) item.add("environment", *start.environment);
           if (start.error.empty()) item.add("observation", start.observation);
           if (!start.error.empty()) item.add("error", start.error);
           out += item.str();
         }));
}

void RunPart::decided(std::span<const RecordedDecision> decisions) {
  load_answers();
  answers_.clear();
  record("decisions", list_of(decisions, [](const RecordedDecision& decision, std::string& out) {
           if (decision.environment)
             out += fmt::format("[{},{},[{}],{}]", decision.seed, decision.action, fmt::join(decision.legal, ","),
                                *decision.environment);
           else if (decision.legal.empty())
             out += fmt::format("[{},{}]", decision.seed, decision.action);
           else
             out += fmt::format("[{},{},[{}]]", decision.seed, decision.action, fmt::join(decision.legal, ","));
         }));
}

void RunPart::stepped(std::span<const RecordedStep> steps) {
  record("steps", list_of(steps, [](const RecordedStep& step, std::string& out) {
           JsonLine item;
           item.add("seed", step.seed);
           if (step.environment) item.add("environment", *step.environment);
           if (step.error.empty()) {
             item.add("observation", step.observation).add("reward", step.reward);
             item.add("terminated", step.terminated).add("truncated", step.truncated);
           } else {
             item.add("error", step.error);
           }
           out += item.str();
         }));
}

std::string RunPart::summarised(std::string_view kind, std::string_view json) {
  if (!next_is(kind)) {
    record(kind, json);
    return std::string(json);
  }
  ahead_ = false;
  return line_.substr(prefix_.size() + kind.size() + 3);
}

RunPart::Errors RunPart::recorded_errors(std::string_view kind) {
  Errors errors;
  if (!next_is(kind) || line_.find("\"error\":") == std::string::npos) return errors;
  const Json list = next_json(kind);
  for (const Json& item : list.array()) {
    const Json* error = item.find("error");
    if (error == nullptr) continue;
    const Json* environment = item.find("environment");
    errors[{item["seed"].integer<std::uint64_t>(),
            environment == nullptr ? std::nullopt : std::optional(environment->integer<std::uint64_t>())}] =
        error->string();
  }
  return errors;
}

std::optional<Json> RunPart::take_answer(const RequestFingerprint& request) {
  load_answers();
  const auto found = answers_.find(request);
  if (found == answers_.end()) return std::nullopt;
  std::optional<Json> answer = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) answers_.erase(found);
  return answer;
}

bool RunPart::is_decided() {
  load_answers();
  return look_ahead();
}

void RunPart::answered(std::string_view list) { append("answers", list); }

std::optional<Json> RunPart::peek(std::string_view kind) {
  if (!next_is(kind)) return std::nullopt;
  return next_json(kind);
}

void RunPart::contradict(std::string_view what) const {
  throw InvalidArgument(
      fmt::format("{}, offset {}: {}: the run was recorded with another program, model, environment or options",
                  log_->name(), reader_.begin(), what));
}

bool RunPart::look_ahead() {
  while (!ahead_ && reader_.next(line_)) {
    ahead_ = line_.starts_with(prefix_);
    line_.resize(detail::checked_part(line_).size());
  }
  return ahead_;
}

bool RunPart::next_is(std::string_view kind) {
  if (!look_ahead()) return false;
  const std::string_view rest = std::string_view(line_).substr(prefix_.size());
  return rest.size() > kind.size() + 3 && rest.substr(1, kind.size()) == kind && rest[kind.size() + 1] == '"';
}

Json RunPart::next_json(std::string_view kind) const {
  try {
    return Json::parse(std::string_view(line_).substr(prefix_.size() + kind.size() + 3));
  } catch (const InvalidArgument& error) {
    contradict(error.what());
  }
}

void RunPart::load_answers() {
  while (next_is("answers")) {
    const Json list = next_json("answers");
    for (const Json& answer : list.array())
      answers_[detail::read_fingerprint(answer["request"].string())].push_back(answer);
    ahead_ = false;
  }
}

std::string RunPart::line(std::string_view kind, std::string_view json) const {
  return fmt::format("{}\"{}\":{}", prefix_, kind, json);
}

void RunPart::append(std::string_view kind, std::string_view json) { log_->append(line(kind, json) + '}'); }

void RunPart::record(std::string_view kind, std::string_view json) {
  if (!look_ahead()) return append(kind, json);
  if (const std::string now = line(kind, json); now != line_)
    contradict(fmt::format("recorded is {}, but now it is {}", shortened(line_), shortened(now)));
  ahead_ = false;
}

}  // namespace icpi
