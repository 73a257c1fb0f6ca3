// SPDX-License-Identifier: MIT
#include "sweep_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <sstream>
#include <type_traits>
#include <utility>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "plan_file.hpp"
#include "train_options.hpp"

namespace icpi::program {

namespace {

/// A method in an environment with a model, seeds aside.
struct Combination {
  std::string name;
  Words words;
};

/// Makes combinations of a plan's entries, each checked.
class Combinations {
 public:
  /// `file`: the plan's name.
  Combinations(const std::string& file, const PlanFile& plan) : file_(file), plan_(&plan) {}

  [[nodiscard]] std::vector<Combination> all() {
    std::vector<Combination> made;
    for (const PlanEntry& environment : plan_->environments)
      for (const PlanEntry& model : plan_->models)
        for (const PlanEntry& method : plan_->methods) {
          Parts parts{&plan_->common, &environment, &method};
          const bool asks =
              refusing_at(parts, [&] { return asks_model(parse_agent(parse_train(words_of(parts)).method.agent)); });
          // Who asks no model is the same with all of them.
          if (!asks && &model != &plan_->models.front()) continue;
          if (asks) parts.push_back(&model);
          made.push_back(
              refusing_at(parts, [&] { return combine(environment, method, asks ? &model : nullptr, parts); }));
        }
    return made;
  }

 private:
  using Parts = std::vector<const PlanEntry*>;

  /// `model`: nullptr if none is asked.
  Combination combine(const PlanEntry& environment, const PlanEntry& method, const PlanEntry* model,
                      const Parts& parts) {
    const Words words = words_of(parts);
    TrainArguments arguments = parse_train(words);
    CheckedRun run;
    arguments.checked = &run;
    std::ostringstream nothing;
    train(arguments, nothing);
    const std::string model_name = model == nullptr ? "" : name_of(*model, arguments.model);
    std::string name = environment.name.empty() ? folder_name(run.domain) : environment.name;
    name += '/' + (method.name.empty() ? folder_name(run.agent) : method.name);
    if (model != nullptr) name += '/' + model_name;
    if (!names_.insert(name).second)
      throw InvalidArgument(fmt::format("there is a '{}' already: give them a name = \"...\"", name));
    if (!records_.insert(fmt::format("{}\n{}\n{}", run.domain, run.agent, model_name)).second)
      throw InvalidArgument(
          fmt::format("there is a '{}' in '{}' already: records could not tell them apart", run.agent, run.domain));
    return {std::move(name), words};
  }

  static std::string name_of(const PlanEntry& entry, const ModelChoice& model) {
    if (!entry.name.empty()) return entry.name;
    return folder_name(model.http.model_name.empty() ? model.name : model.http.model_name);
  }

  /// The command of these parts. Throws InvalidArgument for an option that two of them have.
  static Words words_of(const Parts& parts) {
    Words words{"train"};
    std::set<std::string> seen;
    for (const PlanEntry* part : parts) {
      for (const std::string& option : part->options)
        if (!seen.insert(option).second) throw InvalidArgument(fmt::format("'{}' stands in two of the tables", option));
      words.insert(words.end(), part->words.begin(), part->words.end());
    }
    return words;
  }

  /// What `make` says of bad usage, with the lines of the parts before it.
  template <class Make>
  std::invoke_result_t<Make> refusing_at(const Parts& parts, Make&& make) const {
    try {
      return make();
    } catch (const InvalidArgument& error) {
      std::set<std::uint32_t> lines;
      for (const PlanEntry* part : parts)
        if (part->line > 0) lines.insert(part->line);
      throw InvalidArgument(fmt::format("{}, lines {}: {}", file_, fmt::join(lines, ", "), error.what()));
    }
  }

  std::string file_;
  const PlanFile* plan_;
  std::set<std::string> names_;
  std::set<std::string> records_;
};

/// The folder of a task's seeds, and how its command names them.
std::pair<std::string, std::string> named_seeds(SeedRange seeds) {
  const std::string option = fmt::format("--seeds={}:{}", seeds.first, seeds.last);
  if (seeds.size() == 1) return {fmt::format("seed-{}", seeds.first), option};
  return {fmt::format("seeds-{}-to-{}", seeds.first, seeds.last - 1), option};
}

}  // namespace

SweepPlan read_plan(const std::string& file) {
  const PlanFile said = read_plan_file(file);
  SweepPlan plan;
  plan.record = said.record;
  plan.slurm = said.slurm;
  const std::vector<Combination> combinations = Combinations(file, said).all();
  const std::size_t parts = (said.seeds.size() + said.seeds_per_task - 1) / said.seeds_per_task;
  if (combinations.size() * parts > most_tasks)
    throw InvalidArgument(fmt::format("{}: {} tasks; allowed: {}", file, combinations.size() * parts, most_tasks));
  for (const Combination& combination : combinations) {
    for (std::size_t part = 0; part < parts; ++part) {
      const std::uint64_t first = said.seeds.first + part * said.seeds_per_task;
      const auto [name, option] =
          named_seeds({first, std::min<std::uint64_t>(first + said.seeds_per_task, said.seeds.last)});
      plan.tasks.push_back({combination.name + '/' + name, combination.words});
      plan.tasks.back().words.push_back(option);
    }
  }
  return plan;
}

}  // namespace icpi::program
