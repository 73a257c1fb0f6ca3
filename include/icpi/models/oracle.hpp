// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/prompt_options.hpp"

namespace icpi {

/// A perfect world model in the place of a language model: it reads the query, and the environment itself answers. With
/// it, what an agent still does wrong is not the fault of its world model.
///
/// Terminations, rewards and observations come from set_state() and step(). Actions are copied from the last place in
/// the prompt where exactly this observation is followed by an action, else drawn uniformly. Which of the world questions,
/// the three together among them, is asked shows in the answer of the prompt's last example; a prompt without examples is
/// taken to ask for the reward, or for all where answers end at a blank line. A query that cannot be read is answered
/// with an empty text.
///
/// Sampling parameters besides the seed and max_tokens change nothing: what is random is random as the environment is.
/// What is not set: no limit of tokens; seed 0.
/// `want_logprobs` and `choices` are an `invalid_request`. Tokens are estimated_tokens(). Thread-safety: one thread at a
/// time.
template <StateSettable Env, ParsesObservations<Env> Formatter = default_formatter_t<Env>>
class OracleModel {
 public:
  /// Answers with the dynamics of a copy of `env`; `formatter` must be the one that writes the prompts.
  explicit OracleModel(Env env = Env{}, std::optional<Formatter> formatter = std::nullopt)
      : env_(std::move(env)), formatter_(formatter ? std::move(*formatter) : Formatter(env_)) {
    for (const auto& action : env_.actions()) {
      actions_.push_back(action);
      action_texts_.emplace_back(formatter_.action(action));
    }
    if (actions_.empty()) throw InvalidArgument("OracleModel: the environment has no actions");
    const std::string start(formatter_.episode_start());
    start_ = start.substr(std::min(start.find_first_not_of('\n'), start.size()));
  }

  [[nodiscard]] std::string identity() const { return "oracle"; }  ///< always "oracle"

  /// See LanguageModel. Throws InvalidArgument when the spans differ in length.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size())
      throw InvalidArgument(
          fmt::format("OracleModel::complete: {} requests but {} completions", requests.size(), completions.size()));
    for (std::size_t i = 0; i < requests.size(); ++i) answer(requests[i], completions[i]);
  }

  /// Which question a prompt of this formatter asks.
  [[nodiscard]] QueryKind kind(const CompletionRequest& request) {
    auto [examples, query] = divide(request);
    while (query.starts_with('\n')) query.remove_prefix(1);
    return query.starts_with(start_) ? QueryKind::action : kind_of(examples, request.stop);
  }

 private:
  void answer(const CompletionRequest& request, Completion& completion) {
    completion.tokens.clear();
    completion.text.clear();
    completion.usage = {};
    completion.error = {};
    completion.finish = FinishReason::error;
    completion.error = refusal(request);
    if (completion.error) return;
    completion.text = whole_answer(request);
    completion.finish = FinishReason::stop;
    for (const std::string_view stop : request.stop) {
      if (!stop.empty()) completion.text.resize(std::min(completion.text.size(), completion.text.find(stop)));
    }
    const auto limit = static_cast<std::size_t>(std::max(0, request.sampling.max_tokens.value_or(no_limit)));
    while (estimated_tokens(completion.text) > limit) {
      completion.text.pop_back();
      completion.finish = FinishReason::length;
    }
    completion.usage.prompt_tokens = estimated_tokens(request.prefix.text) + estimated_tokens(request.query);
    completion.usage.completion_tokens = estimated_tokens(completion.text);
  }

  static constexpr int no_limit = std::numeric_limits<int>::max();

  static CompletionError refusal(const CompletionRequest& request) {
    if (request.want_logprobs || !request.choices.empty())
      return {ErrorCategory::invalid_request, "the oracle gives no logprobs and takes no choices", 0};
    return check_sampling(request.sampling);
  }

  /// Examples and the record that is to be completed, wherever prefix and query were divided.
  struct Prompt {
    std::string_view examples;
    std::string_view query;
  };

  Prompt divide(const CompletionRequest& request) {
    const auto prefix = request.prefix.text;
    const auto body = request.query.substr(std::min(request.query.find_first_not_of('\n'), request.query.size()));
    const bool begins_record =
        prefix.empty() || prefix.ends_with("\n\n") || (prefix.ends_with('\n') && request.query.starts_with('\n'));
    if (begins_record && body.find("\n\n") == std::string_view::npos) return {prefix, body};
    joined_.assign(prefix).append(request.query);
    const auto blank = joined_.rfind("\n\n");
    const auto first = blank == std::string::npos ? 0 : blank + 2;
    return {std::string_view(joined_).substr(0, first), std::string_view(joined_).substr(first)};
  }

  /// The answer with its stop string; empty when the query says nothing.
  std::string whole_answer(const CompletionRequest& request) {
    auto [examples, query] = divide(request);
    while (query.starts_with('\n')) query.remove_prefix(1);
    const std::uint64_t seed = request.seed.value_or(0);
    if (query.starts_with(start_)) return action(examples, query.substr(start_.size()), seed);
    const auto step = simulate(query, seed);
    if (!step) return {};
    switch (kind_of(examples, request.stop)) {
      case QueryKind::transition: return transition(*step);
      case QueryKind::termination: return std::string(formatter_.termination(step->terminated));
      case QueryKind::observation: return std::string(formatter_.observation(step->observation));
      default: return std::string(formatter_.reward(step->reward));
    }
  }

  /// The step that the query describes: an observation's lines and an action's.
  std::optional<Step<typename Env::Observation>> simulate(std::string_view query, std::uint64_t seed) {
    for (std::size_t i = 0; i < actions_.size(); ++i) {
      if (!query.ends_with(action_texts_[i])) continue;
      const auto text = query.substr(0, query.size() - action_texts_[i].size());
      const auto observation =
          formatter_.parse_observation(without_stop(text, formatter_.stop(QueryKind::observation)));
      if (!observation) continue;
      try {
        env_.set_state(*observation, seed);
        return env_.step(actions_[i]);
      } catch (const InvalidArgument&) {
        return std::nullopt;  // well-formed, but no state of the environment
      }
    }
    return std::nullopt;
  }

  /// Termination, reward and what is seen next, with the blank line that ends a record.
  std::string transition(const Step<typename Env::Observation>& step) const {
    std::string text(formatter_.termination(step.terminated));
    text += formatter_.reward(step.reward);
    if (!step.terminated) text += formatter_.observation(step.observation);
    return text + '\n';
  }

  /// Whether more follows the termination that the answer begins with.
  bool is_transition(std::string_view answer) const {
    const std::string stop(formatter_.stop(QueryKind::termination));
    const auto end = answer.find(stop);
    return end < answer.size() && end + stop.size() < answer.size() &&
           formatter_.parse_termination(answer.substr(0, end));
  }

  /// What the answer of the last example is.
  QueryKind kind_of(std::string_view prefix, std::span<const std::string_view> stops) const {
    while (prefix.ends_with('\n')) prefix.remove_suffix(1);
    const auto blank = prefix.rfind("\n\n");
    std::string example(blank == std::string_view::npos ? prefix : prefix.substr(blank + 2));
    example += '\n';
    for (const auto& action : action_texts_) {
      const auto at = example.find('\n' + action);
      if (at == std::string::npos) continue;
      const auto answer = std::string_view(example).substr(at + 1 + action.size());
      if (is_transition(answer)) return QueryKind::transition;
      const auto read = [&](QueryKind kind) { return without_stop(answer, formatter_.stop(kind)); };
      if (formatter_.parse_termination(read(QueryKind::termination))) return QueryKind::termination;
      if (formatter_.parse_reward(read(QueryKind::reward))) return QueryKind::reward;
      if (formatter_.accepts_observation(read(QueryKind::observation))) return QueryKind::observation;
    }
    const bool blank_line_ends = std::find(stops.begin(), stops.end(), "\n\n") != stops.end();
    return blank_line_ends ? QueryKind::transition : QueryKind::reward;
  }

  /// What was done the last time that exactly this observation is in the prompt.
  std::string action(std::string_view prompt, std::string_view observation, std::uint64_t seed) const {
    for (std::size_t at = prompt.rfind(observation); at != std::string_view::npos && !observation.empty();
         at = at == 0 ? std::string_view::npos : prompt.rfind(observation, at - 1)) {
      if (at > 0 && prompt[at - 1] != '\n') continue;
      const auto rest = prompt.substr(at + observation.size());
      for (const auto& text : action_texts_) {
        if (rest.starts_with(text)) return text;
      }
    }
    RandomStream stream{RandomKey(seed)};
    return action_texts_[stream.index(action_texts_.size())];
  }

  Env env_;
  Formatter formatter_;
  std::vector<typename Env::Action> actions_;
  std::vector<std::string> action_texts_;
  std::string start_;
  std::string joined_;
};

}  // namespace icpi
