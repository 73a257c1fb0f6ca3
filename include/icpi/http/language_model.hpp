// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/http/options.hpp"

namespace icpi::http {

/// What one server said about itself when it was probed.
struct ServerDescription {
  std::string base_url;                   ///< where it is
  ServerKind kind = ServerKind::generic;  ///< which software
  bool probed = false;                    ///< whether it was asked
  std::vector<std::string> models;        ///< as listed by the server; empty: it lists none
  std::size_t context_limit = 0;          ///< tokens per request; 0: not told
  std::size_t slots = 0;                  ///< llama-server's parallel slots; 0: not told
  std::string build;                      ///< version text; empty: not told
};

/// What the model can be asked, over all its servers.
struct Capabilities {
  std::string model;                       ///< as the server calls it
  Dialect dialect = Dialect::completions;  ///< how it is spoken to
  bool prompt_arrays = false;              ///< several prompts in one request
  bool choices = false;                    ///< CompletionRequest::choices is honoured
  bool constrains_choices = false;         ///< the same, by the name that icpi::Capabilities has for it
  bool gives_logprobs = false;             ///< Options::logprobs
  std::string choices_problem;             ///< why it is not; empty: it is
  std::vector<ServerDescription> servers;  ///< all of them
};

/// The capabilities as lines for a terminal, each ending in a newline.
[[nodiscard]] std::string describe(const Capabilities& capabilities);

/// Counters since construction. They never decrease, except `in_flight`, `queued` and `concurrency_limit`.
struct Statistics {
  std::uint64_t requests = 0;               ///< HTTP requests for completions, retries included
  std::uint64_t answers = 0;                ///< completions received whole
  std::uint64_t errors = 0;                 ///< completions that failed
  std::uint64_t retries = 0;                ///< completions that were sent once more
  std::uint64_t refusals = 0;               ///< 429 and 503
  std::uint64_t lost_connections = 0;       ///< not established, reset or cut
  std::uint64_t timeouts = 0;               ///< attempts that ran out of time
  std::uint64_t unreadable_answers = 0;     ///< not JSON, or not the JSON that was agreed
  std::uint64_t unusable_answers = 0;       ///< whole, paid for, and no use: never asked for again
  std::uint64_t cleaned_answers = 0;        ///< of the chat dialect, from which something was taken away before reading
  std::uint64_t answers_with_thoughts = 0;  ///< that came with a thought, kept apart in Completion::thought
  std::uint64_t answers_without_usage = 0;  ///< their tokens are not known
  std::uint64_t ignored_choices = 0;        ///< answers that are none of the choices that were given
  std::uint64_t prompt_bytes = 0;           ///< prompt text sent, retries included
  Usage usage;                              ///< sum over everything that came in whole
  std::size_t in_flight = 0;                ///< sent, not yet answered
  std::size_t queued = 0;                   ///< not yet sent
  std::size_t concurrency_limit = 0;        ///< the adaptive limit now, summed over servers
};

/// A language model behind one or several HTTP servers.
///
/// The event loop (curl's multi interface on poll(2)) runs inside complete, submit and collect, on the caller's thread:
/// no thread, no lock, nothing between a socket and the caller; answers that arrive while the caller works wait in the
/// sockets' buffers and are never timed out before they were looked at. submit sends; it does not wait.
///
/// Failures: see Retries. Statuses 400, 404, 413, 422, redirects to another host, certificates that do not verify and
/// oversized answers fail an item at once; an answer that was received whole is never asked for again. What a server
/// cannot honour (choices, logprobs it does not send) makes the item an `invalid_request`. A service that ignores
/// choices gives an answer that is none of them, which is handed out as it is and counted.
/// Sampling is neutral unless the request says otherwise: penalties and filters that the server has are sent as off.
/// What the request leaves open is not sent: the service's own default holds. The dialect anthropic needs max_tokens.
/// `sample_index` is mixed into the seed that is sent, so repetitions differ although their seeds agree.
/// Batch invariance: as far as the server's arithmetic goes; engines that batch requests may answer near-ties of the
/// logits differently in different company.
/// The API key is kept in the request header alone; errors and texts in which a server repeats it are redacted.
/// Thread-safety: one object by one thread at a time; different objects are independent.
class HttpLanguageModel {
 public:
  /// Throws InvalidArgument for unusable options (a key variable that is not set, a malformed URL), icpi::Error when
  /// the probe shows that the server is not there, refuses the key or does not have the model.
  explicit HttpLanguageModel(Options options);
  /// Takes over what is in flight.
  HttpLanguageModel(HttpLanguageModel&&) noexcept;
  /// Takes over what is in flight.
  HttpLanguageModel& operator=(HttpLanguageModel&&) noexcept;
  /// Aborts what is in flight.
  ~HttpLanguageModel();

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions);

  /// Throws InvalidArgument when `ticket` is already under way.
  void submit(const CompletionRequest& request, Ticket ticket);
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait);
  /// Unknown tickets are ignored.
  void cancel(Ticket ticket);

  /// Options::concurrency times the number of servers; more submissions wait here at no cost.
  [[nodiscard]] std::size_t concurrency() const noexcept;
  /// Tokens per request: the smallest that a server told; 0: none did.
  [[nodiscard]] std::size_t context_limit() const noexcept;
  /// Depends on options alone, never on the probe (when Options::model is set), so that a cache can be replayed
  /// without a server.
  [[nodiscard]] std::string identity() const;

  /// What it can be asked.
  [[nodiscard]] const Capabilities& capabilities() const noexcept;
  /// What happened so far.
  [[nodiscard]] Statistics statistics() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// An HttpLanguageModel whose servers honour CompletionRequest::choices, known when compiled. Throws icpi::Error when
/// one does not. Others tell by capabilities().
/// Thread-safety: one object by one thread at a time.
class ChoiceConstrainedHttpModel : public HttpLanguageModel {
 public:
  static constexpr bool constrains_choices = true;  ///< see ConstrainsChoices
  /// As HttpLanguageModel; throws icpi::Error when a server does not honour choices.
  explicit ChoiceConstrainedHttpModel(Options options);
  /// Takes over `model`; throws icpi::Error when a server does not honour choices.
  explicit ChoiceConstrainedHttpModel(HttpLanguageModel model);
};

static_assert(AsynchronousLanguageModel<HttpLanguageModel> && HasContextLimit<HttpLanguageModel>);
static_assert(AsynchronousLanguageModel<ChoiceConstrainedHttpModel> && ConstrainsChoices<ChoiceConstrainedHttpModel>);

}  // namespace icpi::http
