// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/line_formatter.hpp"
#include "icpi/concepts/text_scanner.hpp"

namespace icpi {

/// Options that every formatter of a shipped domain takes.
struct FormatterOptions {
  bool hints = true;  ///< add to observations the comparisons that help a model to see what matters
};

namespace detail {

/// `<`, `>` or `==`, as the two numbers stand to each other.
template <class Number>
constexpr std::string_view comparison(Number left, Number right) noexcept {
  if (left < right) return "<";
  return right < left ? ">" : "==";
}

}  // namespace detail

/// What the formatters of the shipped domains have in common. `Derived` gives a static array `action_texts` in the
/// order of the actions, the text `start_text`, and observation() and parse_observation().
///
/// Observations are read strictly up to the hint: numbers as they would be written, nothing but their syntax is
/// checked (a state outside the domain's range is well-formed). With hints there must be one, ` and ` and anything on
/// the same line: what it claims is not checked against the state, so a wrong hint is accepted. Without hints there
/// must be none.
/// Thread-safety: const members may be called concurrently.
template <class Derived, Environment Env>
class DomainFormatter : public LineFormatter<Derived, Env> {
 public:
  using Action = typename Env::Action;  ///< of the environment

  /// The options of this formatter.
  [[nodiscard]] const FormatterOptions& options() const noexcept { return options_; }

  /// What is done, as program text.
  [[nodiscard]] const std::string& action(const Action& action) const {
    static const auto texts = [] {
      std::array<std::string, Derived::action_texts.size()> owned;
      for (std::size_t i = 0; i < owned.size(); ++i) owned[i] = Derived::action_texts[i];
      return owned;
    }();
    return texts.at(static_cast<std::size_t>(action));
  }

  /// A blank line, then the call that begins an episode.
  [[nodiscard]] std::string episode_start() const { return std::string(Derived::start_text); }

 protected:
  /// Keeps the actions of `env`.
  DomainFormatter(const Env& env, FormatterOptions options) : LineFormatter<Derived, Env>(env), options_(options) {}

  /// Whether observations carry the hint.
  [[nodiscard]] bool hints() const noexcept { return options_.hints; }

  /// Whether the observation that `scanner` has read ends here, with or without a hint as the options say.
  [[nodiscard]] bool ends_observation(TextScanner& scanner) const noexcept {
    if (options_.hints) scanner.literal(" and ").rest_of_line();
    return scanner.at_end();
  }

 private:
  FormatterOptions options_;
};

}  // namespace icpi
