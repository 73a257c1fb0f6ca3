// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "draft.hpp"
#include "icpi/concepts/language_model.hpp"
#include "icpi/core/random.hpp"
#include "loaded_model.hpp"
#include "prefix_tree.hpp"
#include "sampler.hpp"
#include "token_trie.hpp"

namespace icpi::llama {

using JobId = std::uint64_t;
using Clock = std::chrono::steady_clock;

/// One request on its way: what has to be computed for it, and what was made of the logits so far. It knows nothing of
/// memory and batches.
class Job {
 public:
  /// A token that must be computed.
  struct Work {
    Token token = 0;
    std::int32_t position = 0;
    std::size_t first_path = 0;  ///< of the sequences that the token belongs to
    std::size_t last_path = 1;
    bool output = false;
    std::size_t node = 0;  ///< of the tree whose logits they are
    /// The sequences must go back to where the prompt ends before this token is computed; a single one of a model that keeps
    /// states, to where it left the prefix.
    bool afresh = false;
    bool guessed = false;  ///< by a draft
  };

  /// A completion. Views of the request stay valid until it is delivered.
  Job(JobId job_id, const CompletionRequest& asked);
  /// Scores.
  Job(JobId job_id, const ScoreRequest& asked);

  /// Makes the tokens; `known` is the prefix kept for the identity, or null. Fills `completion.error` when the request
  /// cannot be answered.
  void plan(const LoadedModel& model, const RequestTokenizer& tokenizer, const PrefixTree::Prefix* known);
  [[nodiscard]] bool planned() const noexcept { return planned_; }
  /// Whether logits decide anything; otherwise the answer is there already.
  [[nodiscard]] bool needs_logits() const noexcept { return !trie_ || trie_->nodes()[0].needed; }
  /// Sequences it takes: one a path, of a tree of more paths as many as are computed at a time. Where states are kept, one
  /// more, the first, which holds the prompt.
  [[nodiscard]] std::size_t paths() const noexcept {
    if (!trie_ || (states_ && trie_->order().empty())) return 1;
    return std::min(trie_->paths(), most_paths_) + (states_ ? 1 : 0);
  }
  /// Cells that it may take behind the prompt.
  [[nodiscard]] std::size_t cells_behind_prompt() const noexcept;

  /// Lists the work when the first `known_tokens` of the prompt are in memory.
  void begin(std::size_t known_tokens);
  /// Whether a guess of what comes next may save computations.
  [[nodiscard]] bool wants_draft() const noexcept { return wants_draft_ && draft_room() > 0; }
  /// What is known of the completion, to guess from.
  [[nodiscard]] Draft draft() const;
  /// Adds a guess of what comes next to the work.
  void take_draft(std::span<const Token> guess);
  /// The logits after work[index]; in the order of the work. May add work, or replace it. False: what was computed behind
  /// it, a guess, is no part of the completion, its logits are not to be taken, and the sequence must forget it.
  [[nodiscard]] bool take(std::size_t index, std::span<const float> logits, const LoadedModel& model, Sampler& sampler);
  /// Once all work is done: reads the answer off the tree. Completions without choices have theirs by then.
  void finish();
  /// Ends without an answer.
  void fail(ErrorCategory category, std::string message);
  /// Guessed tokens that were right so far.
  [[nodiscard]] std::size_t accepted() const noexcept { return accepted_; }

  JobId id = 0;
  CompletionRequest request;                        ///< prefix and query of scores, too
  std::span<const std::string_view> continuations;  ///< to score
  Clock::time_point deadline = Clock::time_point::max();

  TextTokens prefix_text;     ///< tokens of the prefix
  std::vector<Token> prompt;  ///< tokens of prefix and query

  // Kept by the scheduler.
  PrefixTree::Prefix* prefix = nullptr;  ///< pinned
  std::size_t branch_at = 0;             ///< tokens taken from it
  std::vector<Sequence> sequences;
  std::size_t cells = 0;  ///< reserved
  bool started = false;
  std::vector<Work> work;
  std::size_t next_work = 0;
  std::size_t passes = 0;  ///< computations that it took part in

  Completion completion;
  std::vector<double> logprobs;  ///< of the continuations

 private:
  [[nodiscard]] std::string problem() const;
  void write_tokens(const LoadedModel& model, const RequestTokenizer& tokenizer, const PrefixTree::Prefix* known);
  void plan_trie(const LoadedModel& model, const RequestTokenizer& tokenizer);
  std::size_t list_paths(std::size_t first_path);
  std::size_t list_separate_paths(std::size_t first_path);
  void list_again();
  [[nodiscard]] std::size_t draft_room() const noexcept {
    return most_tokens_ - 1 - completion.usage.completion_tokens;
  }
  void take_token(Token token, std::span<const float> logits, const LoadedModel& model);
  void cut_at_stop(std::size_t searched);
  void walk();
  void add_token(std::string_view text, double logprob);

  std::size_t most_tokens_ = 0;   ///< of the completion
  std::size_t most_paths_ = 128;  ///< computed at a time
  bool states_ = false;           ///< see LoadedModel::keeps_states()
  bool scores_ = false;
  bool planned_ = false;
  bool done_ = false;
  bool may_draft_ = false;
  bool wants_draft_ = false;
  std::size_t accepted_ = 0;
  std::vector<Token> written_;  ///< tokens of the completion
  std::optional<TokenTrie> trie_;
  std::size_t trie_cells_ = 0;            ///< of the paths that are computed together, at most
  std::vector<std::string_view> pieces_;  ///< of the tree's nodes
  RandomStream stream_;
};

/// Asks once for guesses of all jobs that want one.
void guess_all(Drafter& drafter, std::span<const std::unique_ptr<Job>> jobs);

}  // namespace icpi::llama
