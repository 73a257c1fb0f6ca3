// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

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

#include "decision_report.hpp"
#include "domain_program.hpp"
#include "icpi/baselines/matching_model.hpp"
#include "icpi/baselines/optimal_agent.hpp"
#include "icpi/baselines/random_agent.hpp"
#include "icpi/baselines/tabular_q.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/experiment/lockstep.hpp"
#include "icpi/experiment/logged_model.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "interrupt.hpp"
#include "question_reader_of.hpp"

namespace icpi::program {

/// The optimal return from first observations on. Keeps what the solver computed, up to a point: start states may be
/// without number.
template <Enumerable Env>
class OptimalReturns {
 public:
  OptimalReturns(const Env& env, double discount) : env_(env), discount_(discount) {}

  double operator()(const typename Env::Observation& start) {
    if (!solver_ || ++used_ % keep == 0) solver_.emplace(env_, discount_);
    return solver_->optimal_return(start);
  }

 private:
  static constexpr std::uint64_t keep = 256;

  Env env_;
  double discount_;
  std::optional<Solver<Env>> solver_;
  std::uint64_t used_ = 0;
};

/// The program of `Env`, a domain with facts(), a solver and a formatter that takes FormatterOptions.
template <Enumerable Env>
class DomainProgramOf final : public DomainProgram {
  using Formatter = default_formatter_t<Env>;
  using Icpi = PolicyIteration<Env, AnyLanguageModel>;
  using Sink = std::function<void(const EpisodeRecord&)>;

 public:
  DomainFacts facts() const override { return env_.facts(); }
  double planning_discount() const override { return env_.discount(); }

  std::vector<std::string> action_texts() const override {
    std::vector<std::string> texts;
    for (const auto& action : env_.actions()) texts.emplace_back(formatter(true).action(action));
    return texts;
  }

  std::string example_observation(bool hints) const override {
    Env env = env_;
    return std::string(formatter(hints).observation(env.reset(0)));
  }

  AnyLanguageModel make_oracle(bool hints) const override {
    return AnyLanguageModel(OracleModel<Env>(env_, formatter(hints)));
  }

  std::unique_ptr<QuestionReader> make_question_reader(bool hints) const override {
    return std::make_unique<QuestionReaderOf<Env, Formatter>>(env_, formatter(hints));
  }

  void check(const Method& method, const ModelFactory& model) const override {
    const Method resolved = method_for(method, facts());
    if (!asks_model(resolved.kind)) return with_agents(resolved, [](auto make) { make(0); });
    AnyLanguageModel owned = model();
    make_icpi(resolved, owned, 0);
  }

  Costs run(const RunRequest& request, const Sink& on_episode) const override {
    OrderedRecords records(request.seeds, request.steps, on_episode);
    const Method method = method_for(request.method, facts());
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
        spent = play(group, records, [&](std::uint64_t seed) {
          auto agent = make_icpi(method, model, seed);
          if (request.watch)
            agent->model().observe_queries([watch = request.watch](const QueryRecord& record) { watch->look(record); });
          return agent;
        });
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

  void show(const ShowRequest& request, std::ostream& out) const override;

 private:
  /// Seeds that are played in lockstep.
  struct Group {
    const RunRequest* request;
    const Method* method;
    RunPart* part;  ///< null: nothing is recorded
    SeedRange seeds;
    std::string model;                ///< its identity; empty: none
    const std::atomic<bool>* failed;  ///< whether another group did: then this one ends early
  };

  Formatter formatter(bool hints) const { return Formatter(env_, {.hints = hints}); }

  std::unique_ptr<Icpi> make_icpi(const Method& method, AnyLanguageModel& model, std::uint64_t seed) const {
    PolicyIterationOptions options = method.settings.options();
    options.seed = seed;
    return std::make_unique<Icpi>(env_, model, options, formatter(method.hints));
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
          return std::make_unique<TabularQ<Env>>(env_, options);
        });
      case AgentKind::matching_model:
        return use([&](std::uint64_t seed) {
          return std::make_unique<MatchingModelAgent<Env>>(env_, seed, method.settings.options().decisions,
                                                           method.settings.recency);
        });
      case AgentKind::optimal:
        return use([&](std::uint64_t) {
          return std::make_unique<OptimalAgent<Env, Solver<Env>>>(Solver<Env>(env_, facts().evaluation_discount));
        });
      default: return use([&](std::uint64_t seed) { return std::make_unique<RandomAgent<Env>>(env_, seed); });
    }
  }

  template <class Make>
  Costs play(const Group& group, OrderedRecords& records, Make&& make) const {
    using A = typename decltype(make(std::uint64_t{0}))::element_type;
    const RunRequest& request = *group.request;
    std::vector<Player<Env, A>> players;
    for (std::uint64_t seed = group.seeds.first; seed < group.seeds.last; ++seed)
      players.push_back({env_, make(seed), seed});
    const DomainFacts known = facts();
    RunSettings settings{std::string(known.name), group.method->label,       group.model,
                         request.steps,           known.evaluation_discount, known.return_scale};
    settings.on_environment_error = request.on_environment_error;
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
    Lockstep<Env, A> lockstep(players, std::move(settings), std::move(recorder));
    const bool complete =
        lockstep.play(OptimalReturns<Env>(env_, known.evaluation_discount), [&](const EpisodeRecord& record) {
          records.add(record);
          return true;
        });
    if (!complete && !*group.failed && hopeless()) throw Error(request.watch->report());
    if (!complete && !*group.failed) throw Interrupted("interrupted");
    Costs spent;
    for (const auto& player : players) spent += player.agent->costs();
    return spent;
  }

  Env env_{};
};

template <Enumerable Env>
void DomainProgramOf<Env>::show(const ShowRequest& request, std::ostream& out) const {
  const Method method = method_for(request.method, facts());
  AnyLanguageModel model = request.model();
  const auto agent = make_icpi(method, model, request.seed);
  Env env = env_;
  agent->train(env, {.episodes = request.episodes});
  auto observation = env.reset(RandomKey(request.seed).child(0).child(request.episodes).seed());
  agent->begin_episode(observation, EpisodeKind::evaluation);
  for (std::size_t step = 0; step < request.step; ++step) {
    auto next = env.step(agent->act(observation));
    agent->observe(next);
    if (next.terminated || next.truncated)
      throw InvalidArgument(fmt::format("--step {}: the episode ended after {} steps", request.step, step + 1));
    observation = std::move(next.observation);
  }
  DecisionReport report(out, request.whole_prompts);
  agent->model().observe_queries([&](const QueryRecord& record) {
    report.query(record, agent->lane().text(record.question.observation), action_texts());
  });
  report.begin(facts().name, model.identity(), request.episodes, formatter(method.hints).observation(observation));
  (void)agent->act(observation);
  const Decision& decision = agent->decision();
  report.rollouts(decision, agent->rollouts(), action_texts(),
                  [&](ObservationId id) { return std::string(agent->lane().text(id)); });
  report.planned(agent->planned_steps(), action_texts(),
                 [&](ObservationId id) { return std::string(agent->lane().text(id)); });
  report.decision(decision, action_texts());
}

}  // namespace icpi::program
