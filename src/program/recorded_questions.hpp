// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "question_reader.hpp"

namespace icpi::program {

/// A question of a recording, and what was answered then.
struct RecordedQuestion {
  QueryKind kind = QueryKind::reward;
  std::string prefix;
  std::string query;
  std::vector<PromptExample> examples;  ///< empty: there are none, or nobody wrote down where they are
  std::size_t question = 0;             ///< offset of what is asked
  std::vector<std::string> stop;
  std::vector<std::string> choices;
  Sampling sampling;
  std::optional<std::uint64_t> seed;
  std::uint32_t sample_index = 0;
  bool want_logprobs = false;
  Completion answer;

  /// The same question for another model. `stops` and `listed` have to live as long; their texts are this object's.
  [[nodiscard]] CompletionRequest request(std::vector<std::string_view>& stops,
                                          std::vector<std::string_view>& listed) const;
};

/// The different questions that `icpi train --record` wrote down, in the order in which they were first asked; at most
/// `most`. Throws InvalidArgument, naming file and line, for files that are damaged, something else, or without prompts.
std::vector<RecordedQuestion> read_questions(const std::string& file, QuestionReader& reader, std::size_t most);

/// What really happened, as the examples in all prompts tell: they are transitions that were seen.
class SeenOutcomes {
 public:
  /// `reader` must outlive the object.
  SeenOutcomes(const std::vector<RecordedQuestion>& questions, const QuestionReader& reader);

  /// All outcomes that this question has had; nullptr: it never arose, or is about an action, which is nothing that
  /// happens.
  [[nodiscard]] const std::set<std::string>* of(const RecordedQuestion& question) const;

 private:
  void read_examples(QueryKind kind, std::string_view prefix, const std::set<std::string>& asked);

  const QuestionReader& reader_;
  std::array<std::map<std::string, std::set<std::string>, std::less<>>, all_query_kinds.size()> outcomes_;
};

}  // namespace icpi::program
