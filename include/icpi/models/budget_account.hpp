// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"

namespace icpi {

/// What a million tokens cost, in any currency. All >= 0 and finite.
struct ICPI_API TokenPrices {
  double prompt = 0;                    ///< prompt tokens
  double completion = 0;                ///< generated tokens
  std::optional<double> cached{};       ///< prompt tokens served from a kept prefix; nullopt: like other prompt tokens
  std::optional<double> cache_write{};  ///< prompt tokens written into a cache; nullopt: like other prompt tokens

  /// Cost of `usage` in the currency's unit.
  [[nodiscard]] double cost(const Usage& usage) const noexcept;
};

/// What was asked of a model, and what it took.
struct Spending {
  std::uint64_t calls = 0;  ///< requests handed to the model, failed ones too
  Usage usage;              ///< tokens, by kind

  /// Of prompts and completions together.
  [[nodiscard]] std::uint64_t tokens() const noexcept { return usage.prompt_tokens + usage.completion_tokens; }
  friend bool operator==(const Spending&, const Spending&) = default;
};

/// How much may be spent; 0 means no limit. Where tokens or money are limited, a question without max_tokens is refused as
/// one that might pass any limit.
struct Budget {
  std::uint64_t calls = 0;           ///< requests
  std::uint64_t tokens = 0;          ///< of prompts and completions together
  double money = 0;                  ///< at `prices`
  TokenPrices prices{};              ///< for `money`
  std::uint64_t thought_tokens = 0;  ///< that models may write on top of max_tokens, for each question
};

/// What a question may take, before its answer is there.
struct Reservation {
  std::uint64_t prompt_tokens = 0;      ///< estimated
  std::uint64_t completion_tokens = 0;  ///< the limit that is sent
  std::uint64_t prompt_bytes = 0;       ///< what the estimate was made of
  bool submitted = false;               ///< held until somebody collects the answer, not by a call under way

  friend bool operator==(const Reservation&, const Reservation&) = default;
};

/// What servers took beyond what was set aside for them.
struct Overrun {
  std::uint64_t completion_tokens = 0;  ///< written beyond the limits that were sent
  std::uint64_t prompt_tokens = 0;      ///< counted beyond the estimates

  friend bool operator==(const Overrun&, const Overrun&) = default;
};

/// What several models may spend together: give each of them the same account. What a question may take is set aside
/// before it is sent, and replaced by what it took when the answer is there. Thread-safe.
class ICPI_API BudgetAccount {
 public:
  /// `spent_before` counts too. Throws InvalidArgument for prices or limits that are negative or not finite, and for a
  /// limit of money without prices.
  explicit BudgetAccount(const Budget& budget, const Spending& spent_before = {});
  ~BudgetAccount();

  BudgetAccount(const BudgetAccount&) = delete;
  BudgetAccount& operator=(const BudgetAccount&) = delete;

  /// Whether a question may be sent.
  enum class Admission : std::uint8_t {
    granted,  ///< what it may take is set aside
    later,    ///< it may fit once those under way are answered, which others see to
    refused   ///< it does not fit; from then on no question does
  };

  /// What `request` may take. Tokens of the prompt are estimated from its bytes and from what answers counted so far.
  [[nodiscard]] Reservation estimate(const CompletionRequest& request) const;
  /// The same.
  [[nodiscard]] Reservation estimate(const ScoreRequest& request) const;
  /// Sets it aside, and counts a call.
  [[nodiscard]] Admission reserve(const Reservation& reservation);
  /// Books the answer in the reservation's place.
  void settle(const Reservation& reservation, const Usage& usage);
  /// Books an attempt that failed and is to be made once more: what was set aside for it stays. False: there is no room
  /// for that.
  [[nodiscard]] bool book_attempt(const CompletionRequest& request, const Usage& usage);
  /// Returns when an answer was booked, after `wait`, or before: a moment at most.
  void wait_for_answers(std::chrono::milliseconds wait);

  /// As given.
  [[nodiscard]] const Budget& budget() const noexcept { return budget_; }
  /// What was spent, with what was spent before.
  [[nodiscard]] Spending spent() const;
  /// The only reasons for which more than the budget can have been spent.
  [[nodiscard]] Overrun overrun() const;
  /// Which limit was reached, with its value; empty: none. For the message that ends a run.
  [[nodiscard]] std::string exhausted_limit() const;

 private:
  struct State;

  [[nodiscard]] Reservation estimate(std::size_t prompt_bytes, std::uint64_t completion_tokens,
                                     double tokens_a_byte) const;
  [[nodiscard]] std::string reached(bool passed) const;
  void add(const Reservation& reservation, const Usage& usage);

  const Budget budget_;
  Owned<State> state_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/budget_account-inl.hpp"
#endif
