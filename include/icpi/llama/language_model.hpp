// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/llama is compiled: link icpi::llama, which brings icpi::icpi, instead of icpi::header_only"
#endif

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/llama/options.hpp"

namespace icpi::llama {

/// What a file says of conversations: base models have no chat template, models that were instructed have one.
enum class ChatTemplate : std::uint8_t {
  none,     ///< a base model, which continues texts
  known,    ///< one that libllama knows: PromptStyle::turns may be used
  unknown,  ///< another one
};

/// What the file and libllama say about themselves.
struct Capabilities {
  std::string file;                        ///< as given
  std::string name;                        ///< the model's own name; empty: it has none
  std::string architecture;                ///< for instance "llama"
  std::string description;                 ///< libllama's line: architecture, size, type of the weights
  std::string library;                     ///< version of libllama
  std::string devices;                     ///< what computes
  std::uint64_t parameters = 0;            ///< number of weights
  std::uint64_t weight_bytes = 0;          ///< memory of the weights
  std::size_t vocabulary = 0;              ///< tokens
  ChatTemplate chat = ChatTemplate::none;  ///< whether it was made for conversations
  std::size_t trained_context = 0;         ///< tokens
  std::size_t context = 0;                 ///< tokens of prompt and completion together
  std::uint64_t kv_bytes = 0;              ///< the budget for keys, values and states, taken at construction
  std::uint64_t kv_bytes_per_token = 0;    ///< of that budget
  /// Of a text in recurrent layers, which sum up what came in a state of one size; 0: the model has attention alone. Such a
  /// text cannot be gone back in: it is shared with those that begin with all of it, and where a guess was wrong
  /// (Options::draft) its question is computed again from the prefix, without a further guess.
  std::uint64_t state_bytes = 0;
  std::size_t states = 0;  ///< texts that kv_bytes has room for; 0 where state_bytes is
};

/// The capabilities as lines for a terminal, each ending in a newline.
[[nodiscard]] std::string describe(const Capabilities& capabilities);

/// Counters since construction. They never decrease, except those about what is kept, under way or waiting.
struct Statistics {
  std::uint64_t answers = 0;                  ///< completions and scores
  std::uint64_t errors = 0;                   ///< items that carry an error
  std::uint64_t computations = 0;             ///< calls of llama_decode
  std::uint64_t tokens_computed = 0;          ///< by all of them
  std::uint64_t tokens_drafted = 0;           ///< of them, guessed by a draft
  std::uint64_t tokens_accepted = 0;          ///< of these, guessed right, over requests that ended
  std::uint64_t passes = 0;                   ///< computations that a request took part in, summed over answers
  std::uint64_t prefix_tokens_requested = 0;  ///< sum of prefix lengths over requests
  std::uint64_t prefix_tokens_computed = 0;   ///< of them, computed
  std::uint64_t prefixes_forgotten = 0;       ///< to make room for others
  Usage usage;                                ///< sum over answers
  std::size_t prefixes = 0;                   ///< kept now
  std::uint64_t kv_bytes = 0;                 ///< in use or reserved for running completions now
  std::uint64_t most_kv_bytes = 0;            ///< the highest value of kv_bytes so far
  /// Times that room was short and tokens got cells out of order, so that the last bits of logits hung on company.
  std::uint64_t disorders = 0;
  std::size_t in_flight = 0;  ///< requests that are worked on
  std::size_t queued = 0;     ///< requests that wait
};

/// A GGUF model in this process, computed by libllama.
///
/// Prefixes are kept: each is computed once, is extended in place when it grows, and is shared by all completions that
/// begin with it (of recurrent models: see Capabilities::state_bytes). The least recently used ones leave when the budget
/// (Options::kv_mib) is full. All completions under way are computed together, one token of each at a time; they join and
/// leave between computations.
///
/// The computation runs inside complete, score, submit and collect, on the caller's thread and libllama's own workers.
/// submit only queues. `wait` of collect is looked at between computations.
/// A prompt is cut where a newline is followed by a visible character, and tokens never reach over such a border; a
/// prompt that ends in a newline ends in the tokens that stand before a letter. Control tokens in texts are text.
/// Sampling: libllama computes logits and nothing else. Temperature, top_p and the stream of `seed` and `sample_index`
/// are icpi's, so answers depend on their request alone: to the last bit of their logits where batch_tokens is 63 or less,
/// no states are kept and Statistics::disorders is 0; else near-ties may fall differently in different company. What is
/// not set: temperature and top_p 1, which is the model's own distribution; seed 0; as many tokens as the context holds,
/// and room for all of them is kept.
/// With `choices`, one computation gives the logits on the token tree of all of them (followed by the first stop
/// string, if there is one); then the tree is walked, at each fork by temperature and seed. max_tokens and top_p do not
/// matter there.
/// Completions without `choices` are guessed first (Options::draft), and the guess is computed together with the rest of
/// the prompt: every token is drawn as if there were no guess, so guesses change no answer.
/// In PromptStyle::turns the examples that a request marks become messages of the user and replies, in the words of the
/// file's chat template, and the answer ends where the model ends its reply, or before a stop string; score() knows no
/// examples and puts the prompt as one message.
/// Errors of an item: `context_overflow` when prompt and max_tokens exceed the context, `invalid_request`, `timeout`,
/// `cancelled`, and `transport` when libllama fails.
/// libllama's log is taken over by the first object: its warnings and errors become part of exceptions.
/// Thread-safety: one object by one thread at a time; different objects are independent.
class LlamaLanguageModel {
 public:
  static constexpr bool constrains_choices = true;  ///< see ConstrainsChoices
  static constexpr bool gives_logprobs = true;      ///< see GivesLogprobs

  /// Throws InvalidArgument for unusable options or a file that is missing, no GGUF, damaged or of a kind that cannot
  /// be used, icpi::Error when memory does not suffice or libllama is not the version this was built with.
  explicit LlamaLanguageModel(Options options);
  /// Takes over what is in flight.
  LlamaLanguageModel(LlamaLanguageModel&&) noexcept;
  /// Takes over what is in flight.
  LlamaLanguageModel& operator=(LlamaLanguageModel&&) noexcept;
  /// Drops what is in flight.
  ~LlamaLanguageModel();

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions);
  /// See ScoresContinuations. The continuations of one request are scored in one computation.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores);

  /// Throws InvalidArgument when `ticket` is already under way.
  void submit(const CompletionRequest& request, Ticket ticket);
  /// Computes until at least one submission is answered, none is left or `wait` is over.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait);
  /// Unknown tickets are ignored.
  void cancel(Ticket ticket);

  /// See CountsTokens.
  [[nodiscard]] std::size_t count_tokens(std::string_view text);
  /// Tokens of prompt and completion together.
  [[nodiscard]] std::size_t context_limit() const noexcept;
  /// Options::concurrency.
  [[nodiscard]] std::size_t concurrency() const noexcept;
  /// Of the file's content, the type of keys and values and the style of prompts; not of its folder, threads or batches.
  [[nodiscard]] std::string identity() const;

  /// What was loaded.
  [[nodiscard]] const Capabilities& capabilities() const noexcept;
  /// What happened so far.
  [[nodiscard]] Statistics statistics() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

static_assert(AsynchronousLanguageModel<LlamaLanguageModel> && ScoresContinuations<LlamaLanguageModel>);
static_assert(ConstrainsChoices<LlamaLanguageModel> && CountsTokens<LlamaLanguageModel>);
static_assert(HasContextLimit<LlamaLanguageModel>);

}  // namespace icpi::llama
