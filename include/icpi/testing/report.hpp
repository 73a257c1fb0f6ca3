// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace icpi::testing {

/// A law that does not hold.
struct Violation {
  std::string law;             ///< one sentence
  std::string counterexample;  ///< where it was seen not to hold; the first case found

  friend bool operator==(const Violation&, const Violation&) = default;
};

/// What a conformance check found. Empty: every law held wherever it was tried.
class Report {
 public:
  /// `subject`: what was checked, for the printed report.
  explicit Report(std::string subject) : subject_(std::move(subject)) {}

  /// Whether no violation was found.
  [[nodiscard]] bool ok() const noexcept { return violations_.empty(); }
  /// The broken laws, each once.
  [[nodiscard]] const std::vector<Violation>& violations() const noexcept { return violations_; }
  /// How often a law was tried.
  [[nodiscard]] std::size_t checks() const noexcept { return checks_; }

  /// Whether this law was found broken; laws are found by any part of their sentence.
  [[nodiscard]] bool violates(std::string_view part_of_law) const noexcept {
    for (const Violation& violation : violations_)
      if (violation.law.find(part_of_law) != std::string::npos) return true;
    return false;
  }

  /// Tries a law once; `counterexample()` is called to describe the case when `holds` is false and the law was not yet
  /// broken. Returns `holds`.
  template <class Describe>
  bool expect(bool holds, std::string_view law, Describe&& counterexample) {
    ++checks_;
    bool known = false;
    for (const Violation& violation : violations_) known = known || violation.law == law;
    if (!holds && !known) violations_.push_back({std::string(law), counterexample()});
    return holds;
  }

  /// Carries out `action`; an exception breaks `law`. Returns whether there was none.
  template <class Action, class Describe>
  bool expect_no_throw(Action&& action, std::string_view law, Describe&& counterexample) {
    try {
      action();
      return expect(true, law, counterexample);
    } catch (const std::exception& error) {
      return expect(false, law, [&] { return counterexample() + ": " + error.what(); });
    } catch (...) {
      return expect(false, law, [&] { return counterexample() + ": an exception that is no std::exception"; });
    }
  }

  /// One line per broken law, or one line that says that all held.
  [[nodiscard]] std::string to_string() const {
    if (ok()) return subject_ + ": every law held in " + std::to_string(checks_) + " checks\n";
    std::string text;
    for (const auto& [law, counterexample] : violations_)
      text.append(subject_).append(": broken: ").append(law).append(" Seen: ").append(counterexample).append("\n");
    return text;
  }

  /// Prints to_string().
  friend std::ostream& operator<<(std::ostream& stream, const Report& report) { return stream << report.to_string(); }

 private:
  std::string subject_;
  std::vector<Violation> violations_;
  std::size_t checks_ = 0;
};

}  // namespace icpi::testing
