// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assessment_of.hpp"
#include "domain_program.hpp"
#include "frozen_episode.hpp"
#include "icpi/baselines/matching_model.hpp"
#include "icpi/baselines/optimal_agent.hpp"
#include "icpi/baselines/random_agent.hpp"
#include "icpi/baselines/tabular_q.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/experiment/logged_model.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/experiment/vector_runner.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "interrupt.hpp"
#include "shared_place.hpp"
#include "shown_decision.hpp"

namespace icpi::program {

/// What the programs of all environments have in common.
template <Environment Env>
class ProgramOf : public DomainProgram {
 protected:
  using Formatter = default_formatter_t<Env>;
  using Observation = typename Env::Observation;
  using Icpi = PolicyIteration<Env, AnyLanguageModel>;
  using Sink = std::function<void(const EpisodeRecord&)>;

 public:
  double planning_discount() const override { return env().discount(); }

  std::vector<std::string> action_texts() const override {
    std::vector<std::string> texts;
    for (const auto& action : env().actions()) texts.emplace_back(formatter(true).action(action));
    return texts;
  }

  std::string example_observation(bool hints) const override {
    return std::string(formatter(hints).observation(environments(1)[0].reset(0)));
  }

  void check(const Method& method, const ModelFactory& model) const override {
    const Method resolved = method_for(method, *this);
    if (!asks_model(resolved.kind)) return with_agents(resolved, [](auto make) { make(0); });
    AnyLanguageModel owned = model();
    make_icpi(resolved, owned, 0);
  }

  void check(const HistoryFile& history) const override { (void)read_history(history); }

  Costs run(const RunRequest& request, const Sink& on_episode) const override {
    OrderedRecords records(request.seeds, request.steps, on_episode, request.environments);
    const Method method = method_for(request.method, *this);
    const auto history = request.history ? read_history(*request.history) : std::vector<TrajectoryOf<Env>>{};
    std::mutex mutex;
    Costs total;
    std::atomic<bool> failed = false;
    const auto play_group = [&](SeedRange seeds) {
      std::optional<RunPart> part;
      if (request.log != nullptr) part.emplace(*request.log, request.first_part + (seeds.first - request.seeds.first));
      Group group{&request, &method, part ? &*part : nullptr, seeds, {}, &failed};
      Costs spent;
      if (asks_model(method.kind)) {
        AnyLanguageModel model = request.model();
        group.model = model.identity();
        if (part) model = AnyLanguageModel(LoggedModel<AnyLanguageModel>(std::move(model), *part, ModelFailures::stop));
        const auto make = [&](std::uint64_t seed) {
          auto agent = make_icpi(method, model, seed);
          for (const auto& episode : history) agent->import(episode);
          if (request.watch)
            agent->model().observe_queries([watch = request.watch](const QueryRecord& record) { watch->look(record); });
          return agent;
        };
        spent = request.environments > 1 ? play(group, records, places_of<Icpi>(make)) : play(group, records, make);
      } else {
        with_agents(method, [&](auto make) { spent = play(group, records, make); });
      }
      const std::lock_guard lock(mutex);
      total += spent;
    };
    try {
      for_each_group(request.seeds, request.jobs, [&](SeedRange seeds) {
        try {
          play_group(seeds);
        } catch (...) {
          failed = true;
          throw;
        }
      });
    } catch (...) {
      const std::exception_ptr cause = std::current_exception();
      try {
        records.release();
      } catch (const Error&) {  // the cause says more
      }
      std::rethrow_exception(cause);
    }
    return total;
  }

  Assessment assess(const AssessRequest& request) const override {
    const Method method = method_for(request.method, *this);
    AnyLanguageModel model = request.model();
    AnyLanguageModel embedded = request.embedded();
    Assessment assessment;
    assessment.environment = facts().name;
    assessment.agent = method.label;
    assessment.model = model.identity();
    AssessedWorld<Env> world{
        std::move(environments(1)[0]), formatter(method.hints),
        [&](AnyLanguageModel& asked, std::uint64_t seed) { return make_icpi(method, asked, seed); }, episode_steps()};
    AssessmentOf<Env>(world, request, assessment).carry_out(model, embedded);
    return assessment;
  }

  void show(const ShowRequest& request, std::ostream& out) const override {
    const Method method = method_for(request.method, *this);
    AnyLanguageModel model = request.model();
    const auto agent = make_icpi(method, model, request.seed);
    Env env = std::move(environments(1)[0]);
    show_decision(*agent, env, request, ShownNames{facts().name, model.identity(), action_texts(), episode_steps()},
                  formatter(method.hints), out);
  }

 protected:
  /// What a line of a history says; here the text of prompts. Throws InvalidArgument.
  [[nodiscard]] virtual Observation read_observation(const Json& value) const {
    return read_prompt_text<Observation>(value, QueryKind::observation, formatters(),
                                         [](const auto& reader, auto text) { return reader.parse_observation(text); });
  }
  /// The same of an action.
  [[nodiscard]] virtual typename Env::Action read_action(const Json& value) const {
    return read_prompt_text<typename Env::Action>(
        value, QueryKind::action, formatters(),
        [](const auto& reader, auto text) { return reader.parse_action(text); });
  }
  /// One that is not stepped: it says which actions there are.
  [[nodiscard]] virtual const Env& env() const = 0;
  /// So many to be stepped, each in episodes of its own.
  [[nodiscard]] virtual std::vector<Env> environments(std::size_t count) const = 0;
  [[nodiscard]] virtual Formatter formatter(bool hints) const = 0;
  /// The best expected return from a first observation on; NaN: not known.
  [[nodiscard]] virtual std::function<double(const Observation&)> optimal_returns() const = 0;
  /// See RunSettings::episode_steps.
  [[nodiscard]] virtual std::size_t episode_steps() const { return default_episode_steps; }

 private:
  /// Seeds that are played side by side.
  struct Group {
    const RunRequest* request;
    const Method* method;
    RunPart* part;  ///< null: nothing is recorded
    SeedRange seeds;
    std::string model;                ///< its identity; empty: none
    const std::atomic<bool>* failed;  ///< whether another group did: then this one ends early
  };

  /// That write hints, and that write none.
  [[nodiscard]] std::array<Formatter, 2> formatters() const { return {formatter(true), formatter(false)}; }

  std::vector<TrajectoryOf<Env>> read_history(const HistoryFile& history) const {
    return episodes_of<Env>(
        history, [this](const Json& value) { return read_observation(value); },
        [this](const Json& value) { return read_action(value); });
  }

  std::unique_ptr<Icpi> make_icpi(const Method& method, AnyLanguageModel& model, std::uint64_t seed) const {
    PolicyIterationOptions options = method.settings.options();
    options.seed = seed;
    options.prompts.task = method.task;
    return std::make_unique<Icpi>(env(), model, options, formatter(method.hints));
  }

  /// Calls use(make), where make(seed) makes an agent of the method's kind.
  template <class Use>
  void with_agents(const Method& method, Use&& use) const {
    switch (method.kind) {
      case AgentKind::tabular_q:
        return use([&](std::uint64_t seed) {
          TabularQOptions options;
          options.seed = seed;
          options.bootstrap_past_terminal = method.bootstrap_past_terminal;
          options.success_threshold = facts().success_threshold;
          options.warm_up = method.settings.warm_up;
          return std::make_unique<TabularQ<Env>>(env(), options);
        });
      case AgentKind::matching_model:
        return use([&](std::uint64_t seed) {
          return std::make_unique<MatchingModelAgent<Env>>(env(), seed, method.settings.options().decisions,
                                                           method.settings.recency);
        });
      case AgentKind::optimal:
        if constexpr (Enumerable<Env>)
          return use([&](std::uint64_t) {
            return std::make_unique<OptimalAgent<Env, Solver<Env>>>(Solver<Env>(env(), facts().evaluation_discount));
          });
        else
          throw InvalidArgument(
              "agent 'optimal' needs an environment whose outcomes can be listed: one of the domains");
      default: return use([&](std::uint64_t seed) { return std::make_unique<RandomAgent<Env>>(env(), seed); });
    }
  }

  /// Plays episodes of each player that are none of its run's.
  template <class A>
  void evaluate(const Group& group, std::vector<Player<Env, A>>& players) const {
    if constexpr (requires(A& agent, const Observation& seen) { agent.begin_episode(seen, EpisodeKind::evaluation); }) {
      const DomainFacts known = facts();
      const FrozenRules<Observation> rules{known.evaluation_discount, known.return_scale, planning_discount(),
                                           episode_steps(), optimal_returns()};
      std::vector<EpisodeRecord> records;
      for (auto& player : players) {
        for (std::size_t episode = 0; episode < group.request->evaluation_episodes; ++episode) {
          EpisodeRecord& record = records.emplace_back();
          record.domain = known.name;
          record.agent = group.method->label;
          record.model = group.model;
          record.seed = player.seed;
          record.episode = episode;
          play_frozen(player, rules, record);
        }
      }
      static std::mutex mutex;
      const std::lock_guard lock(mutex);
      auto& all = *group.request->evaluations;
      all.insert(all.end(), records.begin(), records.end());
    } else {
      throw InvalidArgument(
          fmt::format("agent '{}' cannot be frozen; allowed: icpi, no-argmax, matching-model", group.method->label));
    }
  }

  template <class Make>
  Costs play(const Group& group, OrderedRecords& records, Make&& make) const {
    using A = typename decltype(make(std::uint64_t{0}))::element_type;
    const RunRequest& request = *group.request;
    std::vector<Env> envs = environments(group.seeds.size() * request.environments);
    std::vector<Player<Env, A>> players;
    for (std::size_t number = 0; number < envs.size(); ++number) {
      const std::uint64_t seed = group.seeds.first + number / request.environments;
      players.push_back({std::move(envs[number]), make(seed), seed});
      if (request.environments > 1) players.back().environment = number % request.environments;
    }
    const DomainFacts known = facts();
    RunSettings settings{std::string(known.name), group.method->label,       group.model,
                         request.steps,           known.evaluation_discount, known.return_scale};
    settings.on_environment_error = request.on_environment_error;
    settings.planning_discount = planning_discount();
    settings.episode_steps = episode_steps();
    const auto hopeless = [&] { return request.watch && request.watch->hopeless(); };
    settings.interrupted = [&] {
      return *group.failed || hopeless() || (request.interrupted && request.interrupted());
    };
    RunRecorder<Env> recorder;
    if (group.part != nullptr) {
      recorder = {group.part,
                  [text = formatter(true)](const auto& seen) { return std::string(text.observation(seen)); }};
      JsonLine begin;
      begin.add("domain", settings.domain).add("agent", settings.agent).add("model", settings.model);
      begin.add("seeds", fmt::format("{}:{}", group.seeds.first, group.seeds.last)).add("steps", settings.steps);
      group.part->begin(begin.str());
    }
    VectorRunner<Env, A> runner(players, std::move(settings), std::move(recorder));
    const bool complete = runner.play(optimal_returns(), [&](const EpisodeRecord& record) {
      records.add(record);
      return true;
    });
    if (!complete && !*group.failed && hopeless()) throw Error(request.watch->report());
    if (!complete && !*group.failed) throw Interrupted("interrupted");
    if (complete && request.evaluation_episodes > 0) evaluate(group, players);
    Costs spent;
    for (const auto& player : players) spent += player.agent->costs();
    return spent;
  }
};

}  // namespace icpi::program
