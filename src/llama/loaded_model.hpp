// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "batch_token.hpp"
#include "cell_order.hpp"
#include "icpi/llama/language_model.hpp"

namespace icpi::llama {

/// A message of a conversation.
struct ChatMessage {
  const char* role = "";  ///< system, user or assistant
  const char* text = "";
};

/// Throws icpi::Error naming both unless `found` is the version of libllama that this file was compiled for.
void check_library_version(std::string_view found);

/// Weights, vocabulary and memory of a model: all that icpi asks of libllama, and the only place that knows it.
class LoadedModel {
 public:
  /// Throws as the constructor of LlamaLanguageModel.
  explicit LoadedModel(const Options& options);
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;
  ~LoadedModel();

  [[nodiscard]] const Capabilities& capabilities() const noexcept { return capabilities_; }
  [[nodiscard]] std::size_t cells() const noexcept { return cells_; }  ///< tokens that memory can hold
  /// Of them, those that nobody has and that are not free yet: see CellOrder. Computing takes them where nothing else is left.
  [[nodiscard]] std::size_t spent_cells() const noexcept { return order_.spent(); }
  [[nodiscard]] std::uint64_t disorders() const noexcept { return disorders_; }  ///< how often it did
  /// Whether it has not since memory was last empty or moved together.
  [[nodiscard]] bool in_order() const noexcept { return order_.in_order(); }
  [[nodiscard]] std::size_t sequences() const noexcept { return sequences_; }  ///< numbered from 0
  /// Whether what came is summed up in a state per sequence, in some layers at least: share() then takes all tokens of a
  /// sequence, and forget() drops all.
  [[nodiscard]] bool keeps_states() const noexcept { return capabilities_.state_bytes > 0; }

  /// The token that begins every prompt, if the model has one.
  [[nodiscard]] std::optional<Token> beginning() const noexcept { return beginning_; }
  /// Whether the tokenizer puts a blank before what it is given.
  [[nodiscard]] bool adds_blank() const noexcept { return adds_blank_; }
  /// Whether this token ends a text.
  [[nodiscard]] bool ends_text(Token token) const noexcept { return ends_text_[static_cast<std::size_t>(token)]; }
  /// The token's bytes.
  [[nodiscard]] std::string_view piece(Token token) const noexcept { return pieces_[static_cast<std::size_t>(token)]; }
  /// Appends the tokens of `text` as they are: no beginning is added, and what looks like a control token is text unless
  /// `controls` is set.
  void tokenize(std::string_view text, std::vector<Token>& tokens, bool controls = false) const;
  /// The messages in the words of the file's chat template, up to where the model replies; empty: it has none that
  /// libllama knows. Nothing of the template is run: libllama recognises it and has code of its own for it.
  [[nodiscard]] std::string converse(std::span<const ChatMessage> messages) const;

  /// Makes the first `count` tokens of `from` also those of `to`, which must be empty. Computes and copies nothing.
  void share(Sequence from, Sequence to, std::size_t count);
  /// Drops the tokens of a sequence from `position` on; cells without any sequence are spent or free.
  void forget(Sequence sequence, std::size_t position);
  /// Drops everything.
  void forget_all();

  /// A sequence whose first tokens another one has, too.
  struct Branch {
    Sequence sequence = 0;
    Sequence parent = 0;
    std::size_t shared = 0;  ///< tokens that are the parent's
    std::size_t size = 0;    ///< all its tokens
  };
  /// Copies all tokens to cells that follow one another: afterwards no cell is spent, and all are in order. `branches` are all
  /// sequences with tokens, parents before who shares theirs. False: nothing is in memory any more.
  [[nodiscard]] bool move_together(std::span<const Branch> branches);

  enum class Outcome : std::uint8_t { done, no_room, failed };  ///< of compute()
  /// Computes at least one token. `no_room` leaves memory as it was, `failed` leaves it undefined.
  Outcome compute(std::span<const BatchToken> batch);
  /// Logits after a token of the last batch that was an output, until the next one.
  [[nodiscard]] std::span<const float> logits(std::size_t index) const;

  /// See GgufHeader::telling_parts.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

 private:
  struct Handles;

  void load_weights(const Options& options);
  void measure_states(const Options& options);
  [[nodiscard]] std::size_t split_budget(const Options& options);
  void make_memory(const Options& options);
  void read_vocabulary();
  [[nodiscard]] std::size_t company_of(std::size_t count) const noexcept;
  Outcome decode_in_company(std::span<const BatchToken> batch);
  Outcome decode(std::span<const BatchToken> batch, std::size_t company);
  void free(std::span<const Sequence> keepers);

  std::unique_ptr<Handles> handles_;
  Capabilities capabilities_;
  std::string fingerprint_;
  std::size_t cells_ = 0;
  std::size_t sequences_ = 0;
  Sequence company_ = 0;  ///< see company_of()
  CellOrder order_;
  std::uint64_t disorders_ = 0;
  std::size_t batch_tokens_ = 1;  ///< computed at a time
  std::size_t group_ = 1;         ///< see company_of()
  std::optional<Token> beginning_;
  bool adds_blank_ = false;
  std::vector<bool> ends_text_;
  std::vector<std::string> pieces_;
};

}  // namespace icpi::llama
