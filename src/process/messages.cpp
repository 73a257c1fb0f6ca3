// SPDX-License-Identifier: MIT
#include "messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi::detail {

namespace {

/// Calls `read` and puts what it is about before what it throws.
template <class Read>
auto about(std::string_view what, Read&& read) {
  try {
    return read();
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", what, error.what()));
  }
}

bool is_given(const Json* value) { return value != nullptr && value->kind() != Json::Kind::null; }

std::string text_of(const Json& object, std::string_view name, bool required) {
  const Json* value = object.find(name);
  if (!is_given(value) && !required) return {};
  return about(name, [&] { return object[name].string(); });
}

bool switch_of(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  return is_given(value) && about(name, [&] { return value->boolean(); });
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& each : list.array()) texts.push_back(each.string());
  return texts;
}

constexpr std::array<std::string_view, 4> kind_names{"integer", "decimal", "category", "text"};

Field read_field(const Json& json) {
  Field field;
  field.name = text_of(json, "name", true);
  const std::string kind = text_of(json, "kind", true);
  const auto known = std::find(kind_names.begin(), kind_names.end(), kind);
  if (known == kind_names.end())
    throw InvalidArgument(
        fmt::format("field '{}': the kind '{}' is none of integer, decimal, category, text", field.name, kind));
  field.kind = static_cast<FieldKind>(known - kind_names.begin());
  if (field.kind == FieldKind::decimal)
    field.decimals = about("decimals", [&] { return json["decimals"].integer<int>(); });
  if (field.kind == FieldKind::category)
    field.categories = about("categories", [&] { return texts_of(json["categories"]); });
  field.group = text_of(json, "group", false);
  return field;
}

std::optional<double> number_of(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  if (!is_given(value)) return std::nullopt;
  return about(name, [&] { return value->number(); });
}

std::vector<std::string> read_actions(const Json& list) {
  std::vector<std::string> actions = texts_of(list);
  if (actions.empty()) throw InvalidArgument("there is none");
  for (auto each = actions.begin(); each != actions.end(); ++each) {
    if (each->empty()) throw InvalidArgument("one has no name");
    if (std::find(actions.begin(), each, *each) != each)
      throw InvalidArgument(fmt::format("'{}' is there twice", *each));
  }
  return actions;
}

FieldValues read_values(const Json& list, const FieldText& text) {
  const auto& values = list.array();
  const auto& fields = text.fields();
  if (values.size() != fields.size())
    throw InvalidArgument(fmt::format("it has {} values for {} fields", values.size(), fields.size()));
  FieldValues read;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    about(fmt::format("field '{}'", fields[i].name), [&] {
      switch (fields[i].kind) {
        case FieldKind::integer: read.emplace_back(values[i].integer<std::int64_t>()); break;
        case FieldKind::decimal: read.emplace_back(values[i].number()); break;
        default: read.emplace_back(values[i].string());
      }
      return 0;
    });
  }
  return text.rounded(std::move(read));
}

/// A column of an answer: one value for each environment.
const std::vector<Json>& column(const Json& answer, std::string_view name, std::size_t count) {
  const std::vector<Json>& values = *about(name, [&] { return &answer[name].array(); });
  if (values.size() != count)
    throw InvalidArgument(fmt::format("{}: it has {} values for {} environments", name, values.size(), count));
  return values;
}

double read_reward(const Json& value, const EnvironmentSpec& spec) {
  const double reward = value.number();
  if (spec.reward_bounds && (reward < spec.reward_bounds->first || reward > spec.reward_bounds->second))
    throw InvalidArgument(fmt::format("{} is not within the reward_bounds [{}, {}]", reward, spec.reward_bounds->first,
                                      spec.reward_bounds->second));
  return reward;
}

}  // namespace

EnvironmentSpec read_spec(const Json& answer) {
  const int version = about("protocol", [&] { return answer["protocol"].integer<int>(); });
  if (version != protocol_version)
    throw InvalidArgument(fmt::format("protocol: {} is spoken; allowed: {}", version, protocol_version));
  EnvironmentSpec spec;
  spec.name = text_of(answer, "name", true);
  if (spec.name.empty()) throw InvalidArgument("name: it is empty");
  about("fields", [&] {
    for (const Json& each : answer["fields"].array()) spec.fields.push_back(read_field(each));
    return FieldText(spec.fields);
  });
  spec.actions = about("actions", [&] { return read_actions(answer["actions"]); });
  spec.discount = number_of(answer, "discount");
  if (spec.discount && !(*spec.discount > 0 && *spec.discount <= 1))
    throw InvalidArgument(fmt::format("discount: {} is not in (0, 1]", *spec.discount));
  if (const Json* bounds = answer.find("reward_bounds"); is_given(bounds)) {
    spec.reward_bounds = about("reward_bounds", [&] {
      const auto& list = bounds->array();
      if (list.size() != 2 || !(list[0].number() <= list[1].number()))
        throw InvalidArgument("it is no list of the lowest and the highest");
      return std::pair(list[0].number(), list[1].number());
    });
  }
  spec.optimal_return = number_of(answer, "optimal_return");
  if (const Json* limit = answer.find("step_limit"); is_given(limit))
    spec.step_limit = about("step_limit", [&] { return limit->integer<std::uint32_t>(); });
  spec.description = text_of(answer, "description", false);
  spec.legal_actions = switch_of(answer, "legal_actions");
  spec.set_state = switch_of(answer, "set_state");
  return spec;
}

std::vector<std::string> read_legal_actions(const Json& list, const EnvironmentSpec& spec) {
  std::vector<std::string> legal = texts_of(list);
  for (auto each = legal.begin(); each != legal.end(); ++each) {
    if (std::find(spec.actions.begin(), spec.actions.end(), *each) == spec.actions.end())
      throw InvalidArgument(fmt::format("'{}' is none of the actions", *each));
    if (std::find(legal.begin(), each, *each) != each) throw InvalidArgument(fmt::format("'{}' is there twice", *each));
  }
  return legal;
}

std::vector<EnvironmentAnswer> read_answers(const Json& answer, std::size_t count, bool is_step,
                                            const EnvironmentSpec& spec, const FieldText& text) {
  std::vector<EnvironmentAnswer> answers(count);
  if (const Json* errors = answer.find("errors"); is_given(errors)) {
    const auto& list = column(answer, "errors", count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_given(&list[i])) continue;
      answers[i].error = about("errors", [&] { return list[i].string(); });
      if (answers[i].error.empty()) answers[i].error = "an error without a message";
    }
  }
  const auto each = [&](std::string_view name, auto&& read) {
    const auto& list = column(answer, name, count);
    for (std::size_t i = 0; i < count; ++i) {
      if (answers[i].error.empty()) about(name, [&] { return read(list[i], answers[i]), 0; });
    }
  };
  each("observations", [&](const Json& value, EnvironmentAnswer& one) { one.observation = read_values(value, text); });
  if (is_step) {
    each("rewards", [&](const Json& value, EnvironmentAnswer& one) { one.reward = read_reward(value, spec); });
    each("terminated", [&](const Json& value, EnvironmentAnswer& one) { one.terminated = value.boolean(); });
    each("truncated", [&](const Json& value, EnvironmentAnswer& one) { one.truncated = value.boolean(); });
  }
  if (!spec.legal_actions) return answers;
  each("legal_actions", [&](const Json& value, EnvironmentAnswer& one) {
    one.legal_actions = read_legal_actions(value, spec);
    if (one.legal_actions.empty() && !one.terminated) throw InvalidArgument("there is none, and the episode goes on");
  });
  return answers;
}

void append_values(std::span<const FieldValue> values, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    if (const auto* whole = std::get_if<std::int64_t>(&values[i]))
      fmt::format_to(std::back_inserter(out), "{}", *whole);
    else if (const auto* number = std::get_if<double>(&values[i]))
      fmt::format_to(std::back_inserter(out), "{}", *number);
    else
      append_json_string(std::get<std::string>(values[i]), out);
  }
  out += ']';
}

}  // namespace icpi::detail
