// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/costs.hpp"
#include "icpi/prompt/answer_memo.hpp"
#include "icpi/prompt/prompt_book.hpp"
#include "icpi/prompt/text_interner.hpp"

namespace icpi {

/// Everything textual about one agent: its experience, its prompts, the observations imagined in the current episode
/// and what the model has said about them. Pinned in memory. One thread at a time.
template <Environment Env, PromptFormatter<Env> Formatter, ReplayBuffer<Env> Buffer>
struct PromptLane {
  /// `random_key` drives the choice of examples.
  PromptLane(const Env& env, Buffer experience, Formatter formatter, const PromptOptions& options,
             TokenCounter count_tokens, RandomKey random_key)
      : buffer(std::move(experience)),
        book(env, buffer, std::move(formatter), options, std::move(count_tokens), random_key.child(0)),
        key(random_key.child(1)) {
    for (const auto& action : env.actions()) actions.push_back(action);
    book.update();
  }

  PromptLane(const PromptLane&) = delete;
  PromptLane& operator=(const PromptLane&) = delete;

  /// Forgets what was imagined, and draws the policy prompt of episode number `episode`.
  void begin_episode(std::uint64_t episode) {
    observations.clear();
    memo.clear();
    decision = 0;
    episode_key = key.child(episode);
    book.begin_episode(episode_key.child(0));
  }

  /// Begins a decision at a real observation; returns its handle. Throws as PromptBook::check, and changes nothing.
  [[nodiscard]] ObservationId observe(const typename Env::Observation& observation) {
    const auto id = observations.intern(book.check(observation));
    if (memo.size() > most_answers) memo.clear();
    ++decision;
    return id;
  }

  /// Throws, as PromptBook::check, what append() and extend() would throw because of this transition's texts.
  void check(const TransitionOf<Env>& transition) const { book.check(transition); }

  /// Adds a finished episode. All or nothing: buffer and prompts stay as they are when a text is refused, or when
  /// formatter, token counter or buffer throw.
  void append(const TrajectoryOf<Env>& trajectory) {
    auto rendered = book.render(trajectory);
    buffer.append(trajectory);
    book.update(std::move(rendered));
  }

  /// Adds a step of the running episode: its prompts change at once. All or nothing, as append().
  void extend(const TransitionOf<Env>& transition) {
    auto rendered = book.render(std::span(&transition, 1));
    buffer.extend(transition);
    book.update(std::move(rendered));
  }

  /// The running episode is over.
  void close() {
    buffer.close();
    book.update();
  }

  /// Whether there is something to learn of every action: each was tried. Where all that was seen ended, as in bandits,
  /// prompts that show how things go on stay empty.
  [[nodiscard]] bool ready() const {
    for (std::size_t action = 0; action < actions.size(); ++action)
      if (buffer.matching(action, false).empty() && buffer.matching(action, true).empty()) return false;
    return true;
  }

  /// Trajectories that policy prompts show.
  [[nodiscard]] std::size_t trajectories() const { return std::min(book.successes(), book.options().recency); }

  /// Whether the action was ever done at this observation.
  [[nodiscard]] bool tried(ObservationId observation, std::uint32_t action) const {
    return book.tried(observations.text(observation), action);
  }

  /// Its place among the environment's actions; their number when it is none of them.
  [[nodiscard]] std::size_t action_index(const typename Env::Action& action) const {
    return static_cast<std::size_t>(std::find(actions.begin(), actions.end(), action) - actions.begin());
  }

  /// Kept in `memo` from decision to decision: with a temperature above 0 those of earlier ones are of no use.
  static constexpr std::size_t most_answers = 1U << 16U;

  std::vector<typename Env::Action> actions;  ///< the environment's, in its order
  Buffer buffer;                              ///< all experience
  PromptBook<Env, Formatter, Buffer> book;    ///< its prompts
  TextInterner observations;                  ///< handles of the episode
  AnswerMemo memo;                            ///< answers of the episode
  RandomKey key;                              ///< of all episodes
  RandomKey episode_key;                      ///< of the running episode
  std::uint64_t decision = 0;                 ///< of this episode, from 1 on
  Costs costs;                                ///< of all answers
};

}  // namespace icpi
