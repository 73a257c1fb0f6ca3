// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "domain_program.hpp"
#include "icpi/baselines/no_argmax.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/domains/all.hpp"
#include "paper_numbers.hpp"
#include "printable.hpp"
#include "report.hpp"
#include "support/file_locks.hpp"
#include "support/temporary_folder.hpp"

namespace icpi::program {
namespace {

TEST(Settings, EveryValueIsReadBackAsItIsShown) {
  for (const Setting& each : settings()) {
    AgentSettings settings;
    const std::string shown = each.get(settings);
    EXPECT_NO_THROW((void)apply_setting(std::string(each.name) + "=" + shown, settings)) << each.name << '=' << shown;
    EXPECT_EQ(each.get(settings), shown) << each.name;
    for (const std::string wrong : {"", "banana", "1x", " 1", "nan", "-inf"})
      EXPECT_THROW((void)apply_setting(std::string(each.name) + "=" + wrong, settings), InvalidArgument)
          << each.name << '=' << wrong;
    EXPECT_EQ(each.get(settings), shown) << each.name;
  }
}

TEST(Printable, LetsNoControlCharacterThrough) {
  EXPECT_EQ(printable("plain, \xc3\xa4 and\nlines"), "plain, \xc3\xa4 and\nlines");
  EXPECT_EQ(printable("\x1b[2J\x07\r\t\x7f"), "\\x1b[2J\\x07\\x0d\\x09\\x7f");
  EXPECT_EQ(printable("\xff\xc2\x9b"
                      "2J\xe2\x82"),
            "\\xff\\xc2\\x9b"
            "2J\\xe2\\x82");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Settings, ReachWhatTheyName) {
  AgentSettings settings;
  for (const std::string assignment :
       {"values=planning", "examples=append_only", "step_limit=3", "node_limit=50", "temperature=0", "recency=5",
        "policy_temperature=1.5", "return_threshold=-2", "update_within_episode=on", "timeout_ms=250",
        "warm_up_successes=1", "untried_bonus=2", "random_rate=0.1", "selection=softmax", "softmax_temperature=0.5",
        "transition_questions=whole"})
    (void)apply_setting(assignment, settings);
  const PolicyIterationOptions options = settings.options();
  EXPECT_EQ(options.decisions.description(),
            "values=planning(step_limit=3, attempts=3, node_limit=50), exploration=warm_up(successes=1, slope=2, "
            "abrupt=false), exploration=random_rate(rate=0.1), exploration=untried_first(bonus=2), "
            "selection=softmax(temperature=0.5), update_within_episode=true");
  EXPECT_EQ(options.prompts.examples.description(),
            "append_only(balance=true, rebuild_fraction=0.5, policy_prompts=4)");
  EXPECT_EQ(options.prompts.trajectories.description(), "trajectories_above_return(threshold=-2, recency=5)");
  EXPECT_EQ(options.prompts.transition_questions, TransitionQuestions::whole);
  EXPECT_EQ(options.queries.sampling.temperature, 0);
  EXPECT_EQ(options.queries.policy_temperature, 1.5);
  EXPECT_EQ(options.queries.timeout, std::chrono::milliseconds(250));
  (void)apply_setting("policy_temperature=none", settings);
  EXPECT_FALSE(settings.options().queries.policy_temperature);
  for (const std::string assignment : {"examples=alike", "alike_count=9", "stem_tokens=300", "policy_prompts=2"})
    (void)apply_setting(assignment, settings);
  EXPECT_EQ(settings.options().prompts.examples.description(), "alike(count=9, stem_tokens=300, policy_prompts=2)");
}

TEST(Settings, LeaveSamplingToTheModelWhereTheySayUnset) {
  AgentSettings settings;
  for (const std::string assignment : {"temperature=unset", "top_p=unset", "max_tokens=unset"})
    (void)apply_setting(assignment, settings);
  const QueryOptions queries = settings.options().queries;
  EXPECT_EQ(queries.sampling, (Sampling{.temperature = {}, .top_p = {}, .max_tokens = {}}));
  EXPECT_EQ(queries.description(),
            "temperature=unset, top_p=unset, max_tokens=unset, policy_temperature=none, deduplicate=true, "
            "restrict_answers=false");
  for (const std::string assignment : {"temperature=none", "temperature=", "top_p=0", "top_p=1.1", "max_tokens=0"})
    EXPECT_THROW((void)apply_setting(assignment, settings), InvalidArgument) << assignment;
  (void)apply_setting("temperature=0.5", settings);
  EXPECT_EQ(settings.options().queries.sampling.temperature, 0.5);
}

TEST(Settings, OfEarlierVersionsMeanWhatTheyMeant) {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"rule=rollouts", "values=mean_of_rollouts"},   {"rule=planning", "values=planning"},
      {"rule=rollout_policy", "values=policy_alone"}, {"mode=stable", "examples=append_only"},
      {"mode=per_query", "examples=balanced"},        {"online=on", "update_within_episode=on"},
      {"novelty_bonus=0.5", "untried_bonus=0.5"},     {"success_threshold=1", "return_threshold=1"}};
  for (const auto& [former, now] : pairs) {
    AgentSettings by_former = named_settings("recommended"), by_now = named_settings("recommended");
    EXPECT_EQ(apply_setting(former, by_former), now.substr(0, now.find('=')));
    (void)apply_setting(now, by_now);
    for (const Setting& each : settings()) EXPECT_EQ(each.get(by_former), each.get(by_now)) << former;
  }
  AgentSettings settings;
  EXPECT_THROW((void)apply_setting("rule=banana", settings), InvalidArgument);
}

TEST(Settings, AreTheLibrarysUnderTheirNames) {
  const auto same = [](const PolicyIterationOptions& left, const PolicyIterationOptions& right) {
    return left.decisions == right.decisions && left.prompts == right.prompts && left.queries == right.queries;
  };
  EXPECT_TRUE(same(named_settings("recommended").options(), PolicyIterationOptions{}));
  EXPECT_TRUE(same(named_settings("best").options(), PolicyIterationOptions{}));
  EXPECT_TRUE(same(named_settings("paper").options(), paper_options()));
  EXPECT_FALSE(same(named_settings("paper").options(), PolicyIterationOptions{}));
  EXPECT_THROW((void)named_settings("banana"), InvalidArgument);
}

TEST(Methods, TheDomainFillsInWhatIsNotSet) {
  Method method;
  EXPECT_EQ(method_for(method, mini_invaders_program()).settings.rollouts.step_limit, 8);
  EXPECT_EQ(apply_setting("step_limit=3", method.settings), "step_limit");
  method.sets_step_limit = true;
  EXPECT_EQ(method_for(method, mini_invaders_program()).settings.rollouts.step_limit, 3);
  method.kind = AgentKind::no_argmax;
  const auto options = method_for(method, mini_invaders_program()).settings.options();
  const auto given = no_argmax_options(method.settings.options(), MiniInvaders{}.facts().success_threshold);
  EXPECT_EQ(options.decisions, given.decisions);
  EXPECT_EQ(options.prompts, given.prompts);
  EXPECT_EQ(options.prompts.trajectories.description(), "trajectories_above_return(threshold=1, recency=8)");
}

TEST(Domains, AreKnownUnderTheirNames) {
  for (const auto name : domain_names) EXPECT_EQ(domain_program(name).facts().name, name);
  EXPECT_THROW((void)domain_program("Chain"), InvalidArgument);
  EXPECT_THROW((void)domain_program(""), InvalidArgument);
}

TEST(PaperNumbers, AreThoseOfThePaper) {
  const PaperNumbers& numbers = paper_numbers();
  EXPECT_EQ(numbers.domains, std::vector<std::string>(domain_names.begin(), domain_names.end()));
  ASSERT_FALSE(numbers.rows.empty());
  EXPECT_EQ(numbers.rows[0].agent, "icpi");
  for (const auto& row : numbers.rows) EXPECT_EQ(row.values.size(), 6U) << row.name;
  for_each_domain([&](const auto& env) {
    const auto& curve = numbers.icpi_curves.at(std::string(env.name));
    EXPECT_EQ(static_cast<int>(curve.horizon), env.facts().horizon);
    double sum = 0;
    int known = 0;
    for (const double bin : curve.bins) {
      if (std::isnan(bin)) continue;
      sum += bin;
      ++known;
    }
    const auto column = std::find(domain_names.begin(), domain_names.end(), env.name) - domain_names.begin();
    EXPECT_GT(known, 15);
    EXPECT_NEAR(sum / known, numbers.rows[0].values[static_cast<std::size_t>(column)].auc, 0.02) << env.name;
  });
}

std::vector<EpisodeRecord> one_record(const std::string& domain, const std::string& agent) {
  EpisodeRecord record;
  record.domain = domain;
  record.agent = agent;
  record.step = record.length = 4;
  record.regret = 0.25;
  return {record};
}

TEST(Report, WritesWhatGnuplotAndSpreadsheetsTakeAsText) {
  const std::string nasty = "a,\"b\"'\n`$(x)`";
  const Report report = make_report(one_record(nasty, nasty), {{nasty, 4}});
  EXPECT_NE(curves_csv(report).find("\"a,\"\"b\"\"'\n`$(x)`\""), std::string::npos);
  const auto plans = plan_figures(report);
  ASSERT_EQ(plans.size(), 1U);
  const std::string program = figure_program(report, plans[0]);
  EXPECT_EQ(program.find('`'), std::string::npos);
  EXPECT_EQ(program.find("\"b\""), std::string::npos);
  EXPECT_NE(program.find("set title 'a__b_____(x)_' noenhanced"), std::string::npos);
}

TEST(Report, HasNoRowOfThePaperForEnvironmentsThatItDoesNotHave) {
  const Report other = make_report(one_record("lake", "icpi"), {{"lake", 4}});
  EXPECT_EQ(summary_table(other, true), summary_table(other, false));
  const Report chain = make_report(one_record("chain", "icpi"), {{"chain", 4}});
  EXPECT_NE(summary_table(chain, true), summary_table(chain, false));
}

/// The agents that a figure shows; empty: there is no such figure.
std::vector<std::string> shown(const Report& report, std::string_view figure) {
  std::vector<std::string> agents;
  for (const auto& plan : plan_figures(report)) {
    if (plan.name != figure) continue;
    for (const auto number : plan.curves) agents.push_back(report.curves[number].agent);
  }
  return agents;
}

TEST(Report, TheRecommendedOptionsAreAMethodAndNotAnAblation) {
  using Agents = std::vector<std::string>;
  std::vector<EpisodeRecord> records;
  const auto add = [&](const std::string& agent) { records.push_back(one_record("chain", agent).front()); };
  add("icpi-best");
  Report report = make_report(records, {{"chain", 4}});
  EXPECT_EQ(shown(report, "figure-methods"), Agents{"icpi-best"});
  EXPECT_EQ(shown(report, "figure-ablations"), Agents{});
  EXPECT_NE(figure_program(report, plan_figures(report).front()).find("title 'icpi-best'"), std::string::npos);
  for (const auto* agent : {"icpi", "random", "icpi-no-hints", "icpi-best-no-hints"}) add(agent);
  report = make_report(records, {{"chain", 4}});
  EXPECT_EQ(shown(report, "figure-methods"), (Agents{"icpi-best", "icpi", "random"}));
  EXPECT_EQ(shown(report, "figure-ablations"), (Agents{"icpi-best", "icpi", "icpi-no-hints", "icpi-best-no-hints"}));
}

TEST(Report, ComparesModelsThatWereAskedInTheSameWay) {
  using Agents = std::vector<std::string>;
  std::vector<EpisodeRecord> records;
  const auto add = [&](const std::string& agent, const std::string& model) {
    records.push_back(one_record("chain", agent).front());
    records.back().model = model;
  };
  add("icpi-best-alike", "one");
  add("random", "");
  EXPECT_EQ(shown(make_report(records, {{"chain", 4}}), "figure-models"), Agents{}) << "a single model";
  add("icpi-best-alike", "another");
  EXPECT_EQ(shown(make_report(records, {{"chain", 4}}), "figure-models"),
            (Agents{"icpi-best-alike", "random", "icpi-best-alike"}));
  add("icpi", "one");
  EXPECT_EQ(shown(make_report(records, {{"chain", 4}}), "figure-models"), Agents{}) << "in other ways";
}

TEST(Report, NeedsAHorizonForEveryDomain) {
  EXPECT_THROW((void)make_report(one_record("chain", "icpi"), {{"maze", 4}}), InvalidArgument);
  EXPECT_EQ(make_report(one_record("chain", "icpi"), {{"chain", 4}, {"maze", 4}}).horizons.size(), 1U);
}

TEST(Runs, GoOnWithoutLocksAndSaySo) {
  const icpi_test::TemporaryFolder folder;
  TrainArguments arguments;
  arguments.domain = "chain";
  arguments.method.agent = "random";
  arguments.seeds = "0:1";
  arguments.steps = "10";
  arguments.out = (folder / "out").string();
  arguments.recovery.words = {"train"};
  std::ostringstream out;
  const icpi_test::NoFileLocks no_locks(ENOSYS);
  ::testing::internal::CaptureStderr();
  EXPECT_NO_THROW(train(arguments, out));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("log.jsonl: its file system has no locks"), std::string::npos) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  EXPECT_NE(out.str().find("random"), std::string::npos);
}

/// The methods of the reference simulation, few seeds: scripts/check-baselines does the same with many.
class Baselines : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(Baselines, AgreeWithAnIndependentSimulation) {
  const auto& [method_name, domain_name] = GetParam();
  std::ifstream in(std::string(ICPI_GOLDEN_DIR) + "/reference_baselines.json");
  std::ostringstream text;
  text << in.rdbuf();
  const Json reference = Json::parse(text.str());
  const Json& known = reference["methods"][method_name]["domains"][domain_name];
  RunRequest request;
  request.method.label = method_name;
  request.method.kind = method_name == "random"     ? AgentKind::random
                        : method_name == "matching" ? AgentKind::matching_model
                                                    : AgentKind::tabular_q;
  request.method.bootstrap_past_terminal = method_name == "tabular";
  request.seeds = {5000, 5060};
  request.steps = reference["horizon"][domain_name].integer<std::size_t>();
  std::vector<EpisodeRecord> records;
  domain_program(domain_name).run(request, [&](const EpisodeRecord& record) { records.push_back(record); });
  const RegretCurve curve = regret_curve(records, request.steps);
  const auto score = [&](const Estimate& ours, const std::string& name) {
    return std::abs(ours.mean - known[name].number()) / std::hypot(ours.error, known[name + "_se"].number());
  };
  EXPECT_LT(score(curve.auc, "auc"), 4.5);
  EXPECT_LT(score(curve.last20, "last20"), 4.5);
}

INSTANTIATE_TEST_SUITE_P(All, Baselines,
                         ::testing::Combine(::testing::Values("random", "tabular", "tabular-done", "matching"),
                                            ::testing::Values("chain", "distractor-chain", "maze", "mini-catch",
                                                              "mini-invaders", "point-mass")),
                         [](const auto& instance) {
                           std::string name = std::get<0>(instance.param) + "_" + std::get<1>(instance.param);
                           for (char& each : name) each = each == '-' ? '_' : each;
                           return name;
                         });

}  // namespace
}  // namespace icpi::program
