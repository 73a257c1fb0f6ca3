// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// How questions are put to the language model. Defaults are the recommended set.
struct QueryOptions {
  /// Greedy; the paper's temperature is 0.1. It allows 100 GPT-2 tokens; models with smaller tokens need more for the
  /// same text. Whole transitions may take three times as many. What is not set is left to the model; of scores, an unset temperature is 1.
  Sampling sampling{.temperature = 0, .top_p = 1, .max_tokens = 200};
  std::optional<double> policy_temperature{};  ///< of action queries; not set: as all others
  bool deduplicate = true;                     ///< append-only prompts: put identical queries once
  /// Only known answers: every termination, every action, and the rewards seen so far. By CompletionRequest::choices
  /// where the model constrains, else by scores where it scores; models that can do neither are refused. An answer that
  /// is none of them, as of services that ignore what they are told, is invalid. Whole transitions end in what is not
  /// known, so their terminations and rewards are only held against what is known.
  bool restrict_answers = false;
  /// Send one request of a new shared prefix ahead of the others, so that the model computes it once. For models that
  /// work on requests independently; batch models see equal prefixes side by side anyway.
  bool prime_prefixes = false;
  std::size_t threads = 1;  ///< workers that write prompts
  /// Where time is limited (see Until), a model that is not asynchronous is asked for this many answers between looks at
  /// the clock; >= 1.
  std::size_t chunk = 16;
  /// Of one request; 0: the model's own. The model must keep it: nothing else ends the wait for an answer.
  std::chrono::milliseconds timeout{0};

  /// All that changes answers, in one line: not how the work is divided, nor how long it may take.
  [[nodiscard]] ICPI_API std::string description() const;

  friend bool operator==(const QueryOptions&, const QueryOptions&) = default;
};

/// One query as it was put and answered. Views are valid during the call only.
struct QueryRecord {
  Question question;                            ///< what was asked
  std::string_view prefix;                      ///< first part of the prompt
  std::string_view query;                       ///< second part of the prompt
  const Completion* completion = nullptr;       ///< what the model wrote; null if it was not asked
  AnswerStatus status = AnswerStatus::invalid;  ///< how it was read
  std::uint8_t parts = 0;                       ///< of a transition: Answer::parts
};

/// Called after every answer, in the order in which answers arrive.
using QueryObserver = std::function<void(const QueryRecord&)>;

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/query_options-inl.hpp"
#endif
