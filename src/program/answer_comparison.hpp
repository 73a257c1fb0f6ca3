// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "recorded_questions.hpp"

namespace icpi::program {

/// How two models answered the same questions, by kind.
class AnswerComparison {
 public:
  /// Counts of one kind of question.
  struct Counts {
    std::uint64_t questions = 0;
    std::uint64_t unanswered = 0;      ///< by the new model, for want of a server or the like
    std::uint64_t recorded_valid = 0;  ///< recorded answers that can be read
    std::uint64_t valid = 0;           ///< new ones
    std::uint64_t equal = 0;           ///< both can be read and say the same
    std::uint64_t known = 0;           ///< it is known what really happened
    std::uint64_t recorded_right = 0;  ///< of those: what the recorded answer says has happened
    std::uint64_t right = 0;           ///< and the new one

    Counts& operator+=(const Counts& other) noexcept;
  };

  /// Both must outlive the object.
  AnswerComparison(const QuestionReader& reader, const SeenOutcomes& outcomes) : reader_(reader), outcomes_(outcomes) {}

  void add(const RecordedQuestion& question, const Completion& answer);
  [[nodiscard]] const Counts& of(QueryKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] Counts total() const;
  /// For a person; ends in a newline.
  [[nodiscard]] std::string table() const;
  /// {"termination": {"questions": ..., ..., "judged": "rw-?"}, ...}: of each new answer, in the order of the questions,
  /// whether it is right, wrong, nothing that is known, or missing.
  [[nodiscard]] std::string json() const;

 private:
  const QuestionReader& reader_;
  const SeenOutcomes& outcomes_;
  std::array<Counts, all_query_kinds.size()> counts_{};
  std::array<std::string, all_query_kinds.size()> judged_{};  ///< a letter a question
};

}  // namespace icpi::program
