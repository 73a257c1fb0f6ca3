// SPDX-License-Identifier: MIT
#include "draft.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "icpi/models/any_language_model.hpp"
#include "icpi/models/induction.hpp"

namespace icpi::llama {

namespace {

/// Asks a language model, greedily.
class ModelDrafter final : public Drafter {
 public:
  ModelDrafter(std::shared_ptr<AnyLanguageModel> model, const RequestTokenizer& tokenizer)
      : model_(std::move(model)), tokenizer_(&tokenizer) {}

  void draft(std::span<Draft> drafts) override {
    queries_.resize(std::max(queries_.size(), drafts.size()));
    completions_.resize(drafts.size());
    requests_.clear();
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      queries_[i].assign(drafts[i].request->query);
      queries_[i] += drafts[i].written;
      CompletionRequest& request = requests_.emplace_back(*drafts[i].request);
      request.query = queries_[i];
      request.sampling = {.temperature = 0, .top_p = {}, .max_tokens = static_cast<int>(drafts[i].room) + 1};
      request.want_logprobs = false;
    }
    model_->complete(requests_, completions_);
    for (std::size_t i = 0; i < drafts.size(); ++i) write_guess(requests_[i], completions_[i], drafts[i]);
  }

 private:
  /// The last token that shows the end is left out: it needs only to be drawn, not to be computed.
  void write_guess(const CompletionRequest& request, const Completion& completion, Draft& draft) const {
    if (completion.error) return;
    const bool stops = completion.finish == FinishReason::stop && !request.stop.empty();
    tokenizer_->tokenize_answer(request, completion.text, stops, draft.guess);
    if (stops && !draft.guess.empty()) draft.guess.pop_back();
    draft.guess.resize(std::min(draft.guess.size(), draft.room));
  }

  std::shared_ptr<AnyLanguageModel> model_;
  const RequestTokenizer* tokenizer_;
  std::vector<std::string> queries_;
  std::vector<CompletionRequest> requests_;
  std::vector<Completion> completions_;
};

/// Copies from the prompt.
class CopyingDrafter final : public Drafter {
 public:
  void draft(std::span<Draft> drafts) override {
    constexpr std::size_t most_tokens = 16;
    for (Draft& each : drafts) each.guess = what_followed(each.tokens, std::min(each.room, most_tokens));
  }
};

}  // namespace

std::unique_ptr<Drafter> make_drafter(const Options& options, const RequestTokenizer& tokenizer) {
  if (options.draft_model) return std::make_unique<ModelDrafter>(options.draft_model, tokenizer);
  switch (options.draft) {
    case DraftSource::none: return nullptr;
    case DraftSource::ngram: return std::make_unique<CopyingDrafter>();
    case DraftSource::induction: break;
  }
  return std::make_unique<ModelDrafter>(std::make_shared<AnyLanguageModel>(InductionModel()), tokenizer);
}

std::vector<Token> what_followed(std::span<const Token> tokens, std::size_t room) {
  constexpr std::size_t fewest = 2;
  constexpr std::size_t most = 4;
  std::size_t best = 0;  // where it goes on
  std::size_t longest = fewest - 1;
  for (std::size_t at = tokens.size() - std::min<std::size_t>(1, tokens.size()); at >= fewest && longest < most; --at) {
    std::size_t same = 0;
    while (same < std::min(at, most) && tokens[at - 1 - same] == tokens[tokens.size() - 1 - same]) ++same;
    if (same <= longest) continue;
    longest = same;
    best = at;
  }
  if (best == 0) return {};
  const auto following = tokens.subspan(best, std::min(room, tokens.size() - best));
  return {following.begin(), following.end()};
}

}  // namespace icpi::llama
