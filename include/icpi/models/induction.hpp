// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"

namespace icpi {

/// Which of its kind an InductionModel is. Each has an identity of its own.
enum class InductionVersion : std::uint8_t {
  first = 1,      ///< repeats are little evidence: what rules foretell is more even than what was seen
  calibrated = 2  ///< where equal questions have had unequal answers, it foretells them as often as they were seen
};

/// How InductionModel works.
struct InductionOptions {
  InductionVersion version = InductionVersion::calibrated;  ///< the only one that answers depend on
  std::size_t threads = 1;  ///< that answer a batch together; the answers do not depend on it
  /// States of prefixes with an identity, the least recently used one goes first. Enough for some 40 environments that
  /// share the model. One takes about 1 MB at 10,000 characters; what it learned of its text takes at most some 100 MB.
  std::size_t kept_prefixes = 512;
};

/// A language model without weights: everything it knows it reads from the prompt, by aligning the record in progress
/// with earlier ones and averaging over many small rules that explain them. See docs/induction_model.md.
///
/// Deterministic: an answer depends on the request alone. It learns from the complete lines of the prefix, and from
/// complete records at the beginning of the query (records end in a blank line). So where the prompt is split matters
/// only inside a record. A prefix with an identity is read once; later only what was added is read.
/// Lines end in "\n"; a "\r" before it is a space like any other.
///
/// With `choices`, each is as likely as its text followed by the first stop string; the answer is a whole one whatever
/// max_tokens is, and draws honour temperature and top_p. A timeout of a request bounds its own generation; 0: none.
/// What is not set: temperature 0, the likeliest; top_p 1; at most 100 tokens; seed 0.
/// Errors of an item: `invalid_request` for sampling out of range, `timeout`.
/// Thread-safety: one object by one thread at a time.
class ICPI_API InductionModel {
 public:
  static constexpr bool constrains_choices = true;  ///< see ConstrainsChoices
  static constexpr bool gives_logprobs = true;      ///< see GivesLogprobs

  /// Throws InvalidArgument for options out of range.
  explicit InductionModel(InductionOptions options = {});
  InductionModel(InductionModel&&) noexcept;             ///< leaves nothing behind that may be used
  InductionModel& operator=(InductionModel&&) noexcept;  ///< as construction
  ~InductionModel();

  /// See HasIdentity.
  [[nodiscard]] std::string identity() const;

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions);

  /// See RecallsPrompts.
  void recall(std::span<const CompletionRequest> requests);

  /// See ScoresContinuations.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores);

 private:
  class Batches;
  Owned<Batches> batches_;
};

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template const LanguageModelRef::Calls& LanguageModelRef::calls_of<InductionModel>();
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/induction-inl.hpp"
#endif
