// SPDX-License-Identifier: MIT
// What a job does with a tree of continuations: answers with choices, and scores.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "job.hpp"

namespace icpi::llama {

namespace {

/// Of ending where the children stand for going on.
double end_logprob(const TokenTrie& trie, const TokenTrie::Node& node) {
  double going_on = 0;
  for (const std::size_t child : node.children) going_on += std::exp(trie.nodes()[child].logprob);
  return std::log(std::max(1e-300, 1 - going_on));
}

}  // namespace

void Job::plan_trie(const LoadedModel& model, const RequestTokenizer& tokenizer) {
  const auto texts = scores_ ? continuations : request.choices;
  std::vector<std::vector<Token>> tokens(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) tokenizer.tokenize_answer(request, texts[i], true, tokens[i]);
  const std::size_t context = model.capabilities().context;
  for (const auto& each : tokens) {
    if (prompt.size() + each.size() <= context) continue;
    return fail(ErrorCategory::context_overflow,
                fmt::format("{}: a prompt of {} tokens and a continuation of {} do not fit the context of {}",
                            model.capabilities().file, prompt.size(), each.size(), context));
  }
  trie_.emplace(tokens, scores_ || request.want_logprobs);
  for (const TokenTrie::Node& node : trie_->nodes()) pieces_.push_back(model.piece(node.token));
  for (std::size_t path = 0; path < trie_->paths(); path += most_paths_)
    trie_cells_ = std::max(trie_cells_, list_paths(path));
  work.clear();
}

/// Adds the nodes on up to `most_paths_` paths to the work: how many. Nodes on earlier paths, too, are computed again, for
/// the sequences that are computed now; their logits are known.
std::size_t Job::list_paths(std::size_t first_path) {
  if (states_) return list_separate_paths(first_path);
  const std::size_t end = first_path + most_paths_;
  const std::size_t before = work.size();
  for (const std::size_t i : trie_->order()) {
    const TokenTrie::Node& node = trie_->nodes()[i];
    if (node.first_path >= end || node.last_path <= first_path) continue;
    const auto position = static_cast<std::int32_t>(prompt.size() + node.depth - 1);
    const bool output = node.wanted && node.first_path >= first_path;
    work.push_back({node.token, position, std::max(node.first_path, first_path) - first_path,
                    std::min(node.last_path, end) - first_path, output, i, first_path > 0 && work.size() == before,
                    false});
  }
  return work.size() - before;
}

/// The same where no token may belong to several sequences: every path has all its nodes, whose logits the first one gives.
std::size_t Job::list_separate_paths(std::size_t first_path) {
  const std::size_t end = std::min(first_path + most_paths_, trie_->paths());
  const std::size_t before = work.size();
  for (std::size_t path = first_path; path < end; ++path)
    for (const std::size_t i : trie_->order()) {
      const TokenTrie::Node& node = trie_->nodes()[i];
      if (path < node.first_path || path >= node.last_path) continue;
      const auto position = static_cast<std::int32_t>(prompt.size() + node.depth - 1);
      const std::size_t sequence = 1 + path - first_path;
      const bool output = node.wanted && node.first_path == path;
      work.push_back({node.token, position, sequence, sequence + 1, output, i, work.size() == before, false});
    }
  return work.size() - before;
}

void Job::finish() {
  if (!trie_) return;
  if (!scores_) return walk();
  for (std::size_t i = 0; i < continuations.size(); ++i) {
    double sum = 0;
    for (std::size_t at = trie_->end_of(i); at != 0; at = trie_->nodes()[at].parent) sum += trie_->nodes()[at].logprob;
    logprobs.push_back(sum);
  }
  completion.finish = FinishReason::stop;
}

/// From the root to the end of one of the choices.
void Job::walk() {
  std::vector<double> logprobs_here;
  std::vector<std::size_t> way;
  std::size_t at = 0;
  for (;;) {
    const TokenTrie::Node& node = trie_->nodes()[at];
    std::size_t next = 0;
    if (TokenTrie::is_fork(node)) {
      logprobs_here.clear();
      for (const std::size_t child : node.children) logprobs_here.push_back(trie_->nodes()[child].logprob);
      if (node.continuation != TokenTrie::none) logprobs_here.push_back(end_logprob(*trie_, node));
      next = draw_one(logprobs_here, request.sampling.temperature.value_or(1), stream_);
    }
    if (next >= node.children.size()) break;
    at = node.children[next];
    way.push_back(at);
  }
  completion.text.assign(request.choices[trie_->nodes()[at].continuation]);
  completion.finish = FinishReason::stop;
  completion.usage.completion_tokens = way.size();
  if (!request.want_logprobs) return;
  std::size_t written = 0;
  for (const std::size_t each : way) {
    if (written < completion.text.size()) add_token(pieces_[each], trie_->nodes()[each].logprob);
    written += pieces_[each].size();
  }
}

}  // namespace icpi::llama
