// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "assessment.hpp"
#include "history.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/domains/domain_facts.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/experiment/record_log.hpp"
#include "icpi/experiment/seed_groups.hpp"
#include "icpi/experiment/vector_runner.hpp"
#include "icpi/models/any_language_model.hpp"
#include "methods.hpp"
#include "question_reader.hpp"
#include "readability.hpp"

namespace icpi::program {

/// Makes a model of its own for whoever asks; may be called from several threads.
using ModelFactory = std::function<AnyLanguageModel()>;

/// Runs of one method in one domain.
struct RunRequest {
  Method method;
  ModelFactory model;  ///< for agents that ask one
  SeedRange seeds;
  std::size_t steps = 0;         ///< of every run
  std::size_t environments = 1;  ///< that share the agent of a seed; `steps` are of each
  std::size_t jobs = 1;          ///< threads, each with seeds and a model of its own; results do not depend on it
  OnEnvironmentError on_environment_error = OnEnvironmentError::stop;  ///< how to go on after it
  std::function<bool()> interrupted{};                                 ///< true: stop after the current steps
  RecordLog* log = nullptr;    ///< takes everything that happens, and says what happened already; null: none
  std::size_t first_part = 0;  ///< of the log; there is one for every seed, though not all are used
  std::size_t evaluation_episodes =
      0;  ///< that are played after the last step, with nothing learned and nothing random
  std::vector<EpisodeRecord>* evaluations =
      nullptr;                                   ///< takes their records, in any order; for evaluation_episodes > 0
  std::shared_ptr<const HistoryFile> history{};  ///< what agents that ask a model begin with; null: nothing
  std::shared_ptr<ReadabilityWatch> watch{};     ///< looks at the first answers, and may end the run; null: nobody does
};

/// One decision to look at.
struct ShowRequest {
  Method method;
  ModelFactory model;
  std::uint64_t seed = 0;
  std::size_t episodes = 0;  ///< to learn from first
  std::size_t step = 0;      ///< of the episode after them: which decision
  bool whole_prompts = false;
};

/// An assessment to make.
struct AssessRequest {
  Method method;
  ModelFactory model{};
  ModelFactory embedded{};              ///< the embedded model, which counts the questions of decisions
  SeedRange seeds{};                    ///< each with episodes of its own
  std::vector<std::size_t> episodes{};  ///< numbers of random episodes to learn from, ascending, at least one
  std::size_t steps = 0;                ///< to predict, of each sort and seed, at most
  std::vector<QueryKind> kinds{};       ///< that are asked, of query_kinds
  std::size_t at_a_time = 0;            ///< questions that are put together, at most; at least 1
};

/// What the program does with a domain. One compiled unit a domain, so that the program builds in parallel and in
/// little memory.
class DomainProgram {
 public:
  virtual ~DomainProgram() = default;

  [[nodiscard]] virtual DomainFacts facts() const = 0;
  [[nodiscard]] virtual double planning_discount() const = 0;
  [[nodiscard]] virtual std::vector<std::string> action_texts() const = 0;
  [[nodiscard]] virtual std::string example_observation(bool hints) const = 0;

  /// What the environment says of itself, as JSON, for records; empty: `facts` say it all.
  [[nodiscard]] virtual std::string environment_json() const { return {}; }

  /// What there is to do, in words; empty: the environment does not say.
  [[nodiscard]] virtual std::string task() const { return {}; }

  /// Whether there is one; otherwise make_oracle() throws InvalidArgument.
  [[nodiscard]] virtual bool has_oracle() const { return true; }
  /// A perfect world model for the texts of this domain.
  [[nodiscard]] virtual AnyLanguageModel make_oracle(bool hints) const = 0;

  /// What reads the questions and answers of this domain.
  [[nodiscard]] virtual std::unique_ptr<QuestionReader> make_question_reader(bool hints) const = 0;

  /// Makes the agent once. Throws InvalidArgument for options that it does not take.
  virtual void check(const Method& method, const ModelFactory& model) const = 0;

  /// Throws InvalidArgument, naming the line, for a history that is none of this environment.
  virtual void check(const HistoryFile& history) const = 0;

  /// Plays; `on_episode` gets the records in the order of seeds and episodes, never two at a time. Returns what all
  /// agents spent. Throws Interrupted, after `on_episode` got every record that there is, when it was.
  virtual Costs run(const RunRequest& request, const std::function<void(const EpisodeRecord&)>& on_episode) const = 0;

  /// Finds out how well a model predicts this environment. Throws Interrupted when a signal came.
  [[nodiscard]] virtual Assessment assess(const AssessRequest& request) const = 0;

  /// Prints one decision of `icpi` as a person would want to see it.
  virtual void show(const ShowRequest& request, std::ostream& out) const = 0;
};

/// The programs of the paper's domains.
const std::array<const DomainProgram*, 6>& all_domain_programs();

/// The program of the domain of this name. Throws InvalidArgument with the known names.
const DomainProgram& domain_program(std::string_view name);

/// `method` with what depends on the domain filled in. Throws InvalidArgument when it is to describe a task of which
/// nothing is said.
Method method_for(const Method& method, const DomainProgram& domain);

const DomainProgram& chain_program();
const DomainProgram& distractor_chain_program();
const DomainProgram& maze_program();
const DomainProgram& mini_catch_program();
const DomainProgram& mini_invaders_program();
const DomainProgram& point_mass_program();

}  // namespace icpi::program
