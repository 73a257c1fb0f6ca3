// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/field_text.hpp"
#include "icpi/concepts/line_formatter.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/core/error.hpp"

namespace icpi {

/// Where the value of a field stands in an observation. Made by bind_field().
template <class Observation>
struct FieldBinding {
  Field field;                                               ///< its name and kind
  std::function<FieldValue(const Observation&)> get;         ///< reads the value
  std::function<bool(Observation&, const FieldValue&)> set;  ///< writes it; false: it does not fit the type
};

namespace detail {

template <class Part>
FieldValue field_value(const Field& field, const Part& part) {
  if constexpr (std::is_enum_v<Part>) {
    return field_value(field, static_cast<std::int64_t>(part));
  } else if constexpr (std::integral<Part>) {
    const auto number = static_cast<std::int64_t>(part);
    if (field.kind == FieldKind::integer) return number;
    const bool known = number >= 0 && static_cast<std::uint64_t>(number) < field.categories.size();
    return known ? field.categories[static_cast<std::size_t>(number)] : std::string();
  } else if constexpr (std::floating_point<Part>) {
    return static_cast<double>(part);
  } else {
    static_assert(std::convertible_to<const Part&, std::string_view>,
                  "icpi: bind_field: this part of the observation is no number, no enumerator and no text");
    return std::string(std::string_view(part));
  }
}

template <class Part>
bool set_part(const Field& field, const FieldValue& value, Part& part) {
  if constexpr (std::is_enum_v<Part> || std::integral<Part>) {
    using Number =
        typename std::conditional_t<std::is_enum_v<Part>, std::underlying_type<Part>, std::type_identity<Part>>::type;
    std::int64_t number = 0;
    if (const auto* text = std::get_if<std::string>(&value)) {
      number = std::find(field.categories.begin(), field.categories.end(), *text) - field.categories.begin();
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      number = *whole;
    } else {
      return false;
    }
    if constexpr (!std::same_as<Number, bool>) {
      if (!std::in_range<Number>(number)) return false;
    } else if (number < 0 || number > 1) {
      return false;
    }
    part = static_cast<Part>(number);
  } else if constexpr (std::floating_point<Part>) {
    const auto* number = std::get_if<double>(&value);
    if (number == nullptr) return false;
    part = static_cast<Part>(*number);
  } else {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return false;
    part = Part(*text);
  }
  return true;
}

}  // namespace detail

/// Names a part of an observation. `part`: a pointer to a data member, or a function that takes the observation, const
/// or not, and returns a reference to the part:
///
///     bind_field<Cell>({"row"}, &Cell::row)
///     bind_field<std::tuple<int, double>>({"speed", FieldKind::decimal, 1}, [](auto& o) -> auto& { return get<1>(o); })
///     bind_field<Eigen::Vector2d>({"x", FieldKind::decimal, 3}, [](auto& o) -> auto& { return o(0); })
///
/// A part is a whole number or an enumerator (an integer field, or the number of a category), a floating point number (a
/// decimal) or a text.
template <class Observation, class Projection>
  requires std::invocable<Projection, Observation&> && std::invocable<Projection, const Observation&>
FieldBinding<Observation> bind_field(Field field, Projection part) {
  using Part = std::remove_cvref_t<std::invoke_result_t<Projection, const Observation&>>;
  FieldBinding<Observation> binding{field, nullptr, nullptr};
  binding.get = [field, part](const Observation& observation) {
    return detail::field_value<Part>(field, std::invoke(part, observation));
  };
  binding.set = [field, part](Observation& observation, const FieldValue& value) {
    return detail::set_part<Part>(field, value, std::invoke(part, observation));
  };
  return binding;
}

/// Has observations that are values of fields, and says which.
template <class Env>
concept HasFields =
    Environment<Env> && std::same_as<typename Env::Observation, FieldValues> && requires(const Env& env) {
      { env.fields() } -> std::convertible_to<const std::vector<Field>&>;  // fields(): of observations
    };

/// What a FieldFormatter is told.
struct FieldFormatterOptions {
  bool hints = false;                       ///< add comparisons between fields of one group
  std::vector<std::string> action_names{};  ///< in the environment's order; empty: actions are texts, their own names
};

/// The texts of an environment whose observations have named fields: no code of one's own. Observations as FieldText
/// writes them, actions as calls, the rest as LineFormatter.
/// Law: parse_observation(observation(o)) is o where its decimals are rounded as they are written.
/// Thread-safety: const members may be called concurrently.
template <Environment Env>
class FieldFormatter : public LineFormatter<FieldFormatter<Env>, Env> {
  using Base = LineFormatter<FieldFormatter<Env>, Env>;

 public:
  using Observation = typename Env::Observation;  ///< of the environment
  using Action = typename Env::Action;            ///< of the environment

  /// Of an environment that says what its fields are. Throws InvalidArgument as FieldText and for names of actions that
  /// do not fit.
  explicit FieldFormatter(const Env& env, FieldFormatterOptions options = {})
    requires HasFields<Env>
      : Base(env),
        text_(env.fields(), options.hints),
        calls_(calls(env, options)),
        action_names_(std::move(options.action_names)) {}

  /// Of an environment whose observations have these parts. `blank`: what an observation that is read back is beside
  /// them. Throws as above.
  FieldFormatter(const Env& env, std::vector<FieldBinding<Observation>> bindings, FieldFormatterOptions options = {},
                 Observation blank = Observation())
    requires(!HasFields<Env>)
      : Base(env),
        bindings_(std::move(bindings)),
        text_(fields(bindings_), options.hints),
        calls_(calls(env, options)),
        action_names_(std::move(options.action_names)),
        blank_(std::move(blank)) {}

  /// Takes in what the environment has gained of actions that are texts, their own names. Throws InvalidArgument for others.
  void grow(const Env& env) {
    auto grown = calls(env, {.action_names = action_names_});
    Base::grow(env);
    calls_ = std::move(grown);
  }

  /// What is seen. Throws InvalidArgument for values that do not fit the fields.
  [[nodiscard]] std::string observation(const Observation& seen) const {
    if constexpr (HasFields<Env>) {
      return text_.write(seen);
    } else {
      FieldValues values;
      values.reserve(bindings_.size());
      for (const auto& binding : bindings_) values.push_back(binding.get(seen));
      return text_.write(values);
    }
  }

  /// What is done. Throws InvalidArgument for an action that the environment did not list.
  [[nodiscard]] const std::string& action(const Action& done) const {
    const auto& known = this->actions();
    const auto found = std::find(known.begin(), known.end(), done);
    if (found == known.end()) throw InvalidArgument("an action is none of the environment's");
    return calls_[static_cast<std::size_t>(found - known.begin())];
  }

  /// What was written.
  [[nodiscard]] std::optional<Observation> parse_observation(std::string_view text) const {
    auto values = text_.read(text);
    if constexpr (HasFields<Env>) {
      return values;
    } else {
      if (!values) return std::nullopt;
      Observation seen = *blank_;
      for (std::size_t i = 0; i < bindings_.size(); ++i)
        if (!bindings_[i].set(seen, (*values)[i])) return std::nullopt;
      return seen;
    }
  }

  /// How observations are written.
  [[nodiscard]] const FieldText& text() const noexcept { return text_; }

 private:
  static std::vector<Field> fields(const std::vector<FieldBinding<Observation>>& bindings) {
    std::vector<Field> all;
    for (const auto& binding : bindings) all.push_back(binding.field);
    return all;
  }

  static std::vector<std::string> calls(const Env& env, const FieldFormatterOptions& options) {
    std::vector<std::string> texts;
    for (const Action& each : env.actions()) {
      if constexpr (std::convertible_to<const Action&, std::string_view>) {
        if (options.action_names.empty()) {
          texts.push_back(action_call(std::string_view(each)));
          continue;
        }
      }
      if (texts.size() >= options.action_names.size())
        throw InvalidArgument("FieldFormatter: action_names has fewer names than the environment has actions");
      texts.push_back(action_call(options.action_names[texts.size()]));
    }
    if (!options.action_names.empty() && texts.size() != options.action_names.size())
      throw InvalidArgument("FieldFormatter: action_names has more names than the environment has actions");
    return texts;
  }

  std::vector<FieldBinding<Observation>> bindings_;  ///< empty: the observation is its values
  FieldText text_;
  std::vector<std::string> calls_;
  std::vector<std::string> action_names_;
  std::optional<Observation> blank_;
};

}  // namespace icpi
