// SPDX-License-Identifier: MIT
#include "job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "icpi/core/error.hpp"

namespace icpi::llama {

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
  states_ = model.keeps_states();
  if (states_) most_paths_ = std::min<std::size_t>(8, model.sequences() - 2);  // beside a prefix and the prompt
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
  if (states_) prefix_text.tokens.resize(prefix_text.tokens_at_cut);  // those of every prompt that begins so
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

std::size_t Job::cells_behind_prompt() const noexcept { return trie_ ? trie_cells_ : most_tokens_ - 1; }

void Job::begin(std::size_t known_tokens) {
  branch_at = known_tokens;
  for (std::size_t at = known_tokens; at < prompt.size(); ++at)
    work.push_back({prompt[at], static_cast<std::int32_t>(at), 0, states_ ? 1 : paths(), false, 0, false, false});
  work.back().output = !trie_ || trie_->nodes()[0].wanted;
  wants_draft_ = may_draft_ = !trie_ && (!states_ || known_tokens > 0);  // a wrong guess must not cost a whole prompt
  if (!trie_) return;
  for (std::size_t path = 0; path < trie_->paths(); path += most_paths_) list_paths(path);
}

/// Replaces the work by all that is behind the prefix, what is written included, without a guess.
void Job::list_again() {
  work.clear();
  next_work = 0;
  for (std::size_t at = branch_at; at < prompt.size() + written_.size(); ++at) {
    const Token token = at < prompt.size() ? prompt[at] : written_[at - prompt.size()];
    work.push_back({token, static_cast<std::int32_t>(at), 0, 1, false, 0, work.empty(), false});
  }
  work.back().output = true;
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
  if (guessed_wrong && states_ && !done_) {
    list_again();
    may_draft_ = false;
    return false;
  }
  work.resize(next);
  next_work = next;
  if (!done_) {
    work.push_back({token, work[index].position + 1, 0, 1, true, 0, false, false});
    wants_draft_ = may_draft_;
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
