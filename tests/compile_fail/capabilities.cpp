// SPDX-License-Identifier: MIT
#include "icpi/concepts/language_model.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>

// case 1: count_tokens(text): length in the model's tokens
// case 2: context_limit(): tokens; 0: no limit
// case 3: static constexpr bool constrains_choices = true
// case 4: score(requests, scores): log-probabilities of given continuations
// case 5: submit(request, ticket): hand over one request
// case 6: collect(finished, wait): how many came
// case 7: cancel(ticket): no longer wanted
// case 8: concurrency(): submissions worth having in flight
struct Capable {
  static void complete(std::span<const icpi::CompletionRequest>, std::span<icpi::Completion>) {}
  static std::string identity() { return "capable"; }
#if ICPI_BROKEN != 1
  static std::size_t count_tokens(std::string_view text) { return text.size(); }
#endif
#if ICPI_BROKEN != 2
  static std::size_t context_limit() { return 4000; }
#endif
#if ICPI_BROKEN != 3
  static constexpr bool constrains_choices = true;
#endif
#if ICPI_BROKEN != 4
  static void score(std::span<const icpi::ScoreRequest>, std::span<icpi::Scores>) {}
#endif
#if ICPI_BROKEN != 5
  static void submit(const icpi::CompletionRequest&, icpi::Ticket) {}
#endif
#if ICPI_BROKEN != 6
  static std::size_t collect(std::span<icpi::FinishedCompletion>, std::chrono::milliseconds) { return 0; }
#endif
#if ICPI_BROKEN != 7
  static void cancel(icpi::Ticket) {}
#endif
#if ICPI_BROKEN != 8
  static std::size_t concurrency() { return 1; }
#endif
};

static_assert(icpi::CountsTokens<Capable>);
static_assert(icpi::HasContextLimit<Capable>);
static_assert(icpi::ConstrainsChoices<Capable>);
static_assert(icpi::ScoresContinuations<Capable>);
static_assert(icpi::AsynchronousLanguageModel<Capable>);
