// SPDX-License-Identifier: MIT
#include "evaluate.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <ostream>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/experiment/regret_curve.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

constexpr std::size_t most_episodes = 1'000'000;

/// The mean over seeds of the means over episodes.
template <class Value>
Estimate estimate_of(const std::vector<EpisodeRecord>& records, Value&& value) {
  std::map<std::uint64_t, std::pair<double, double>> sums;  // and how many
  for (const auto& record : records) {
    auto& [sum, count] = sums[record.seed];
    sum += value(record);
    ++count;
  }
  Eigen::ArrayXd means(static_cast<Eigen::Index>(sums.size()));
  Eigen::Index place = 0;
  for (const auto& [seed, sum] : sums) means(place++) = sum.first / sum.second;
  return estimate(means);
}

}  // namespace

void copy_whole_run(const EvaluateArguments& arguments, const std::filesystem::path& folder) {
  (void)parse_count("--episodes", arguments.episodes, 1, most_episodes);
  if (!arguments.out.empty()) check_run_directory(arguments.out);
  const std::filesystem::path run = arguments.run;
  const ReadRun read = read_run(run);
  if (!read.missing.empty())
    throw InvalidArgument(fmt::format("evaluate '{}': the run is not complete: {}; `icpi train --resume '{}'` goes on",
                                      arguments.run, read.missing.front(), arguments.run));
  std::error_code error;
  std::filesystem::copy_file(run / "log.jsonl", folder / "log.jsonl", error);
  if (error) throw InvalidArgument(fmt::format("evaluate '{}': log.jsonl: {}", arguments.run, error.message()));
}

void evaluate(PlannedRun run, const TrainArguments& arguments, std::ostream& out) {
  const EvaluateArguments& evaluation = *arguments.evaluation;
  const Method& method = run.request.method;
  if (!asks_model(method.kind) && method.kind != AgentKind::matching_model)
    throw InvalidArgument(
        fmt::format("agent '{}' cannot be frozen; allowed: icpi, no-argmax, matching-model", method.label));
  std::vector<EpisodeRecord> records;
  run.request.evaluation_episodes = parse_count("--episodes", evaluation.episodes, 1, most_episodes);
  run.request.evaluations = &records;
  play_runs({run}, arguments.out, arguments.recovery);
  std::sort(records.begin(), records.end(), [](const EpisodeRecord& left, const EpisodeRecord& right) {
    return std::tie(left.seed, left.episode) < std::tie(right.seed, right.episode);
  });
  if (!evaluation.out.empty()) {
    make_run_directory(evaluation.out);
    std::string lines;
    for (const auto& record : records) lines += to_json(record) + '\n';
    write_file(std::filesystem::path(evaluation.out) / "evaluation.jsonl", lines);
  }
  const EpisodeRecord& first = records.front();
  const Estimate returns = estimate_of(records, [](const EpisodeRecord& each) { return each.episode_return; });
  fmt::print(out, "{} in {}: mean return {:.4f} ±{:.4f}", first.agent, first.domain, returns.mean, returns.error);
  if (first.optimum_known) {
    const Estimate regret = estimate_of(records, [](const EpisodeRecord& each) { return each.regret; });
    fmt::print(out, ", regret {:.4f} ±{:.4f}", regret.mean, regret.error);
  }
  fmt::print(out, " ({} seeds, {} episodes each)\n", run.request.seeds.size(), run.request.evaluation_episodes);
}

}  // namespace icpi::program
