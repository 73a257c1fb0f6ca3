// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/policy/rollout_agent.hpp"
#include "icpi/policy/saved_agent.hpp"
#include "icpi/policy/several_environments.hpp"
#include "icpi/policy/shared_training.hpp"
#include "icpi/policy/training.hpp"
#include "icpi/policy/validation.hpp"
#include "icpi/prompt/prompted_rollout_model.hpp"
#include "icpi/prompt/typed_prompt_context.hpp"
#include "icpi/replay/trajectory_buffer.hpp"

namespace icpi {

/// In-Context Policy Iteration (Brooks, Walls, Lewis, Singh 2023): a frozen language model, through prompts alone, is
/// world model and rollout policy; the agent acts greedily on imagined rollouts; what it lives through goes back into
/// the prompts.
///
/// Two loops: train(env, limits), or begin_episode / act / observe where a host steps its environment itself.
/// Equal options, seeds and models give equal runs for any batch size and thread count.
/// Thread-safety: one object by one thread at a time; objects that share a model count as one.
template <Environment Env, LanguageModel LM, PromptFormatter<Env> Formatter = default_formatter_t<Env>,
          ReplayBuffer<Env> Buffer = TrajectoryBuffer<Env>>
class PolicyIteration
    : public SeveralEnvironments<Env, TypedPromptContext<Env, Formatter, Buffer>, PromptedRolloutModel> {
  using Memory = TypedPromptContext<Env, Formatter, Buffer>;
  using Several = SeveralEnvironments<Env, Memory, PromptedRolloutModel>;

 public:
  /// What act_together takes.
  using Base = RolloutAgent<Env, Memory, PromptedRolloutModel>;

  /// `model` must outlive the agent. `experience` may hold trajectories from before.
  /// Throws InvalidArgument for options out of range, a context that the model does not have, actions that are not told
  /// apart by their texts, and a formatter that does not read back what it writes.
  PolicyIteration(const Env& env, LM& model, const PolicyIterationOptions& options, Formatter formatter,
                  Buffer experience)
      : Several(env, make_memory(env, model, options, std::move(formatter), std::move(experience)),
                PromptedRolloutModel(model, checked_queries(options)), options.seed, options.decisions) {}

  /// Without experience. The formatter is made from the environment where it can be.
  PolicyIteration(const Env& env, LM& model, const PolicyIterationOptions& options = {})
      : PolicyIteration(env, model, options, make_formatter<Formatter>(env), Buffer(env)) {}

  /// Without experience.
  PolicyIteration(const Env& env, LM& model, const PolicyIterationOptions& options, Formatter formatter)
      : PolicyIteration(env, model, options, std::move(formatter), Buffer(env)) {}

  /// Plays whole episodes in `env` until a limit is reached or the model's budget is used up, and learns. The last episode
  /// is completed, unless budget or time end it. Episode number n, evaluations counted too, starts with
  /// reset(RandomKey(seed).child(0).child(n).seed()). An episode of the open loop that was running is abandoned. Throws
  /// InvalidArgument when the environment's actions are no longer those that the agent knows, or have grown and it cannot: see
  /// grow(). Only legal actions are
  /// done; `env` is asked which those are, also at what is imagined: see consult().
  TrainingResult train(Env& env, TrainingLimits limits) {
    check_training_limits(limits);
    TrainingResult result;
    while (result.episodes < limits.episodes && result.steps < limits.steps) {
      const Played played = play(env, EpisodeKind::training, limits);
      result.steps += played.steps;
      result.cut_short += played.cut_short;
      if (!played.whole) {
        result.end = limits.until.over() ? TrainingEnd::until : TrainingEnd::budget;
        return result;
      }
      ++result.episodes;
    }
    result.end = result.steps >= limits.steps ? TrainingEnd::steps : TrainingEnd::episodes;
    return result;
  }

  /// Plays in several environments side by side, one step of each in every round: they may differ, but for actions and
  /// discount. Number i is envs[i]; its episode n starts with reset(environment_key(i).child(n).seed()). What happened enters
  /// the one history at the end of the round, in the order of their numbers. With one it is train(env, limits); limits count
  /// the steps and episodes of all, and those under way are completed when they are reached. An environment that throws, or
  /// whose texts are refused, is left out from then on: TrainingResult::failures. Throws InvalidArgument for null pointers,
  /// the same one twice, and other actions or another discount than the agent's; passes on what model, buffer and callbacks
  /// throw.
  TrainingResult train(std::span<Env* const> envs, const TrainingLimits& limits)
    requires SharedReplayBuffer<Buffer, Env>
  {
    return SharedTraining<Env, Memory, PromptedRolloutModel>::train(*this, envs, limits);
  }

  /// Plays one episode without learning, truncated after `episode_steps`. Returns its undiscounted return. Throws Error
  /// when the model's budget is used up, InvalidArgument as train().
  double evaluate(Env& env, std::size_t episode_steps = default_episode_steps) {
    const TrainingLimits limits{.episode_steps = episode_steps};
    check_training_limits(limits);
    const Played played = play(env, EpisodeKind::evaluation, limits);
    if (!played.whole) throw Error("evaluate: the model's budget is used up");
    return played.undiscounted_return;
  }

#if !defined(ICPI_HEADER_ONLY)  // agents are saved by the compiled library
  /// Writes the agent to a file: what it lived through, its counters, what it has spent, and what it is. Between episodes.
  /// Observations are written by `codec`, an ObservationCodec; without one by the formatter, which must have
  /// parse_observation. Throws InvalidArgument while an episode is running and for observations that do not read back as
  /// themselves, for an agent in several environments, and when its buffer has forgotten something; Error when the file cannot be written; then the file is as it was.
  template <class Codec>
  void save(const std::string& file, const Codec& codec) const {
    this->check_whole();
    if (this->running()) throw InvalidArgument("save: an episode is running; an agent is saved between episodes");
    if (this->environments() > 1) throw InvalidArgument("save: an agent in several environments is not saved");
    this->memory().check_complete();
    SavedAgent saved = portrait();
    saved.episodes = this->episodes();
    saved.costs = this->costs();
    saved.events = this->memory().events();
    saved.steps = this->memory().save(codec);
    saved.legal = this->memory().noted_legal();
    write_saved_agent(file, saved);
  }
  /// The same, written by the formatter.
  void save(const std::string& file) const {
    this->check_whole();
    save(file, FormatterCodec<Formatter, Env>{&this->memory().formatter()});
  }

  /// Goes on where a saved agent stood: decisions, records and costs are those of the agent that was saved. This one must be
  /// made as that one was, and have lived through nothing; callbacks and what the model has computed are not restored.
  /// Throws InvalidArgument naming what is different, the line that cannot be read, or how much the buffer would forget; then
  /// nothing has changed.
  template <class Codec>
  void load(const Env& env, const std::string& file, const Codec& codec) {
    this->check_whole();
    if (this->episodes() > 0 || !this->memory().events().empty())
      throw InvalidArgument("load: this agent has lived already; load into a new one");
    const SavedAgent saved = read_saved_agent(file);
    check_same_agent(saved, portrait());
    this->memory().load(env, saved.events, saved.steps, codec);
    for (const SavedLegal& each : saved.legal) this->memory().note_legal_text(each.text, each.actions);
    this->restore(saved.episodes, saved.costs);
  }
  /// The same, read by the formatter.
  void load(const Env& env, const std::string& file) {
    this->check_whole();
    load(env, file, FormatterCodec<Formatter, Env>{&this->memory().formatter()});
  }
#endif

 private:
  /// What an agent is, apart from what it lived through.
  [[nodiscard]] SavedAgent portrait() const {
    SavedAgent portrait;
    portrait.decisions = this->options().description();
    portrait.prompts = this->memory().description();
    portrait.queries = this->model().description();
    portrait.model = this->model().identity();
    portrait.seed = this->seed();
    portrait.actions = this->memory().action_texts();
    portrait.given = this->memory().given();
    portrait.given_hash = this->memory().hash(this->memory().given());
    return portrait;
  }

  /// The rollout model starts threads: nothing may be left to find out after that. Which argument is made first is unspecified.
  static const QueryOptions& checked_queries(const PolicyIterationOptions& options) {
    check_options(options);
    return options.queries;
  }

  static Owned<Memory> make_memory(const Env& env, LM& model, const PolicyIterationOptions& options,
                                   Formatter&& formatter, Buffer&& experience) {
    check_options(options);
    check_context_fits(model, options);
    return Owned<Memory>(new Memory(env, std::move(experience), std::move(formatter), options.prompts,
                                    token_counter(model), Base::agent_key(options.seed).child(0)));
  }

  struct Played {
    std::size_t steps = 0;
    std::size_t cut_short = 0;
    double undiscounted_return = 0;
    bool whole = false;  ///< false: budget or time ended it
  };

  Played play(Env& env, EpisodeKind kind, const TrainingLimits& limits) {
    this->check_whole();
    Played played;
    auto observation = env.reset(this->environment_key(0).child(this->episodes()).seed());
    this->grow(env);
    this->consult(env);
    this->begin_episode(observation, kind);
    while (!played.whole && !limits.until.over()) {
      offer_legal(env, *this, observation);
      const auto action = this->act(observation, decision_limit(limits));
      if (limits.until.over() || this->decision().costs.over_budget > 0) break;
      if (this->decision().cut_short) ++played.cut_short;
      auto step = env.step(action);
      ++played.steps;
      step.truncated = step.truncated || (played.steps == limits.episode_steps && !step.terminated);
      this->observe(step);
      played.undiscounted_return += step.reward;
      played.whole = step.terminated || step.truncated;
      observation = std::move(step.observation);
    }
    return played;
  }
};

}  // namespace icpi
