// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "icpi/concepts/language_model.hpp"
#include "icpi/http/options.hpp"

namespace icpi::http {

/// How far a batch is.
struct BatchProgress {
  /// Where it stands.
  enum class State : std::uint8_t {
    under_way,  ///< answers may come
    ended,      ///< with all its answers, or with those that came in time
    lost        ///< the service refused it: there are no answers
  };
  State state = State::under_way;  ///< where it stands
  std::string words;               ///< the service's own, for people
  std::uint64_t answered = 0;      ///< questions, as far as the service counts them
  std::uint64_t total = 0;         ///< questions of the batch
};

/// Puts many questions that do not depend on each other to a batch service as OpenAI's: files are uploaded to
/// base_url/files, batches made at base_url/batches. The answers come within a day, at a lower price. A batch is known by
/// a name that outlives the process.
/// Options: the first of base_urls, key, model (which must be set), dialect (completions or chat) and request count as for
/// HttpLanguageModel; fields that the service refuses are not left out by themselves. Nothing is streamed or warmed.
/// All members throw Error when the service cannot be reached or refuses, with its words and without the key.
/// Thread-safety: one object by one thread at a time.
class BatchClient {
 public:
  static constexpr std::size_t most_questions = 50'000;  ///< that services take in a batch

  /// Throws InvalidArgument for unusable options. Asks nobody.
  explicit BatchClient(Options options);
  BatchClient(BatchClient&&) noexcept;             ///< leaves nothing behind that may be used
  BatchClient& operator=(BatchClient&&) noexcept;  ///< as construction
  ~BatchClient();

  /// That of an HttpLanguageModel with these options: their answers are interchangeable.
  [[nodiscard]] std::string identity() const;
  /// Why questions with choices are refused; empty: they are taken.
  [[nodiscard]] std::string choices_problem() const;

  /// Uploads the questions and begins a batch: its name. Throws InvalidArgument for no questions or too many.
  [[nodiscard]] std::string start(std::span<const CompletionRequest> requests);
  /// Asks how far it is.
  [[nodiscard]] BatchProgress look(const std::string& name);
  /// The answers of a batch that ended, to the requests that it was begun with. Questions without an answer have an
  /// error. Throws InvalidArgument when the spans differ in length.
  void collect(const std::string& name, std::span<const CompletionRequest> requests, std::span<Completion> completions);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace icpi::http
