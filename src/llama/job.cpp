// SPDX-License-Identifier: MIT
#include "job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "icpi/core/error.hpp"

namespace icpi::llama {

namespace {

/// Of ending where the children stand for going on.
double end_logprob(const TokenTrie& trie, const TokenTrie::Node& node) {
  double going_on = 0;
  for (const std::size_t child : node.children) going_on += std::exp(trie.nodes()[child].logprob);
  return std::log(std::max(1e-300, 1 - going_on));
}

}  // namespace

Job::Job(JobId job_id, const CompletionRequest& asked)
    : id(job_id), request(asked), stream_(RandomKey(asked.seed.value_or(0)).child(asked.sample_index)) {
  constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);
  if (asked.timeout.count() > 0) deadline = Clock::now() + std::min(asked.timeout, longest);
}

Job::Job(JobId job_id, const ScoreRequest& asked)
    : id(job_id), continuations(asked.continuations), scores_(true), stream_(RandomKey(0)) {
  request.prefix = asked.prefix;
  request.query = asked.query;
}

std::string Job::problem() const {
  const Sampling& sampling = request.sampling;
  const double temperature = sampling.temperature.value_or(1);
  if (!(temperature >= 0) || !std::isfinite(temperature))
    return fmt::format("temperature is {}; allowed: 0 or more", temperature);
  const double top_p = sampling.top_p.value_or(1);
  if (!(top_p > 0 && top_p <= 1)) return fmt::format("top_p is {}; allowed: above 0, at most 1", top_p);
  if (sampling.max_tokens.value_or(1) <= 0)
    return fmt::format("max_tokens is {}; allowed: 1 or more", *sampling.max_tokens);
  if (std::any_of(request.stop.begin(), request.stop.end(), [](std::string_view stop) { return stop.empty(); }))
    return "a stop string is empty";
  if (request.prefix.text.empty() && request.query.empty()) return "the prompt is empty";
  return {};
}

void Job::plan(const LoadedModel& model, const RequestTokenizer& tokenizer, const PrefixTree::Prefix* known) {
  planned_ = true;
  for (const std::string& what : {problem(), tokenizer.find_fault(request)})
    if (!what.empty()) return fail(ErrorCategory::invalid_request, what);
  try {
    write_tokens(model, tokenizer, known);
  } catch (const Error& error) {  // a vocabulary that cannot write this text
    return fail(ErrorCategory::invalid_request, error.what());
  }
  if (completion.error) return;
  const Capabilities& can = model.capabilities();
  const std::size_t room = std::min(can.context, model.cells());
  const std::size_t rest = room > prompt.size() ? room - prompt.size() : 1;
  most_tokens_ = request.sampling.max_tokens ? static_cast<std::size_t>(*request.sampling.max_tokens) : rest;
  const std::size_t behind = trie_ ? trie_->depth() : most_tokens_;
  if (prompt.size() + behind > can.context)
    return fail(ErrorCategory::context_overflow,
                fmt::format("{}: a prompt of {} tokens and a completion of up to {} do not fit the context of {}",
                            can.file, prompt.size(), behind, can.context));
  if (prompt.size() + cells_behind_prompt() > model.cells())
    fail(ErrorCategory::context_overflow,
         fmt::format("{}: a prompt of {} tokens and {} of choices do not fit the memory for keys and values of {}",
                     can.file, prompt.size(), cells_behind_prompt(), model.cells()));
}

void Job::write_tokens(const LoadedModel& model, const RequestTokenizer& tokenizer, const PrefixTree::Prefix* known) {
  const std::size_t size = request.prefix.text.size();
  if (known != nullptr && known->text.text_size <= size) {
    prefix_text = known->text;
    if (prefix_text.text_size < size) tokenizer.extend_prefix(request, prefix_text);
  } else {
    tokenizer.tokenize_prefix(request, prefix_text);
  }
  std::vector<Token> rest;
  tokenizer.tokenize_rest(request, prefix_text, rest);
  const auto border = prefix_text.tokens.begin() + static_cast<std::ptrdiff_t>(prefix_text.tokens_at_cut);
  prompt.assign(prefix_text.tokens.begin(), border);
  prompt.insert(prompt.end(), rest.begin(), rest.end());
  completion.usage.prompt_tokens = prompt.size();
  if (prompt.empty())
    return fail(ErrorCategory::invalid_request,
                fmt::format("{}: the prompt has no token in this vocabulary", model.capabilities().file));
  if (scores_ || !request.choices.empty()) plan_trie(model, tokenizer);
}

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
  for (std::size_t path = 0; path < trie_->paths(); path += most_paths)
    trie_cells_ = std::max(trie_cells_, list_paths(path));
  work.clear();
}

std::size_t Job::cells_behind_prompt() const noexcept { return trie_ ? trie_cells_ : most_tokens_ - 1; }

void Job::begin(std::size_t known_tokens) {
  branch_at = known_tokens;
  for (std::size_t at = known_tokens; at < prompt.size(); ++at)
    work.push_back({prompt[at], static_cast<std::int32_t>(at), 0, paths(), false, 0, false, false});
  work.back().output = !trie_ || trie_->nodes()[0].wanted;
  wants_draft_ = !trie_;
  if (!trie_) return;
  for (std::size_t path = 0; path < trie_->paths(); path += most_paths) list_paths(path);
}

/// Adds the nodes on up to `most_paths` paths to the work: how many. Nodes on earlier paths, too, are computed again, for
/// the sequences that are computed now; their logits are known.
std::size_t Job::list_paths(std::size_t first_path) {
  const std::size_t end = first_path + most_paths;
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

Draft Job::draft() const {
  Draft draft{&request, completion.text, prompt, draft_room(), {}};
  draft.tokens.insert(draft.tokens.end(), written_.begin(), written_.end());
  return draft;
}

void Job::take_draft(std::span<const Token> guess) {
  wants_draft_ = false;
  for (const Token token : guess) work.push_back({token, work.back().position + 1, 0, 1, true, 0, false, true});
}

bool Job::take(std::size_t index, std::span<const float> logits, const LoadedModel& model, Sampler& sampler) {
  if (completion.error) return true;
  if (!can_be_probabilities(logits)) {
    fail(ErrorCategory::invalid_request,
         fmt::format("{}: the model computed numbers that are no probabilities", model.capabilities().file));
    return true;
  }
  if (trie_) {
    const double all = log_sum_exp(logits);
    for (const std::size_t child : trie_->nodes()[work[index].node].children) {
      TokenTrie::Node& node = trie_->nodes()[child];
      node.logprob = static_cast<double>(logits[static_cast<std::size_t>(node.token)]) - all;
    }
    return true;
  }
  const Sampling& sampling = request.sampling;
  const double temperature = sampling.temperature.value_or(1);
  const auto token = static_cast<Token>(sampler.draw(logits, temperature, sampling.top_p.value_or(1), stream_));
  take_token(token, logits, model);
  const std::size_t next = index + 1;
  if (!done_ && next < work.size() && work[next].token == token) {
    ++accepted_;
    return true;
  }
  const bool guessed_wrong = next < next_work;
  work.resize(next);
  next_work = next;
  if (!done_) {
    work.push_back({token, work[index].position + 1, 0, 1, true, 0, false, false});
    wants_draft_ = true;
  }
  return !guessed_wrong;
}

void Job::take_token(Token token, std::span<const float> logits, const LoadedModel& model) {
  written_.push_back(token);
  const bool last = ++completion.usage.completion_tokens == most_tokens_;
  if (model.ends_text(token)) {
    completion.finish = FinishReason::stop;
    done_ = true;
    return;
  }
  const std::size_t before = completion.text.size();
  completion.text += model.piece(token);
  completion.finish = FinishReason::length;
  done_ = last;
  cut_at_stop(before);
  if (request.want_logprobs && (completion.text.size() > before || !done_))
    add_token(model.piece(token), static_cast<double>(logits[static_cast<std::size_t>(token)]) - log_sum_exp(logits));
}

/// The first `searched` bytes hold no stop string.
void Job::cut_at_stop(std::size_t searched) {
  std::size_t first = std::string::npos;
  for (const std::string_view stop : request.stop) {
    const std::size_t from = searched + 1 > stop.size() ? searched + 1 - stop.size() : 0;
    first = std::min(first, completion.text.find(stop, from));
  }
  if (first == std::string::npos) return;
  completion.text.resize(first);
  completion.finish = FinishReason::stop;
  done_ = true;
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

void Job::add_token(std::string_view text, double logprob) {
  completion.tokens.push_back({std::string(text), logprob});
}

void Job::fail(ErrorCategory category, std::string message) {
  work.resize(std::min(work.size(), next_work));
  completion.text.clear();
  completion.tokens.clear();
  completion.finish = FinishReason::error;
  completion.error = {category, std::move(message), 0};
}

void guess_all(Drafter& drafter, std::span<const std::unique_ptr<Job>> jobs) {
  std::vector<Job*> asking;
  std::vector<Draft> drafts;
  for (const auto& job : jobs) {
    if (!job->wants_draft()) continue;
    asking.push_back(job.get());
    drafts.push_back(job->draft());
  }
  if (drafts.empty()) return;
  drafter.draft(drafts);
  for (std::size_t i = 0; i < asking.size(); ++i) asking[i]->take_draft(drafts[i].guess);
}

}  // namespace icpi::llama
