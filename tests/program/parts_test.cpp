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
#include <vector>

#include "commands.hpp"
#include "domain_program.hpp"
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
    Method method;
    const std::string shown = each.get(method.options);
    EXPECT_NO_THROW(apply_setting(std::string(each.name) + "=" + shown, method)) << each.name << '=' << shown;
    EXPECT_EQ(each.get(method.options), shown) << each.name;
    for (const std::string wrong : {"", "banana", "1x", " 1", "nan", "-inf"})
      EXPECT_THROW(apply_setting(std::string(each.name) + "=" + wrong, method), InvalidArgument)
          << each.name << '=' << wrong;
    EXPECT_EQ(each.get(method.options), shown) << each.name;
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
  Method method;
  for (const std::string assignment :
       {"rule=planning", "mode=stable", "step_limit=3", "rollouts_per_action=4", "temperature=0", "recency=5",
        "policy_temperature=1.5", "success_threshold=-2", "online=on", "timeout_ms=250", "warm_up_successes=1"})
    apply_setting(assignment, method);
  EXPECT_EQ(method.options.decisions.rule, ActionRule::planning);
  EXPECT_EQ(method.options.prompts.mode, PromptMode::stable);
  EXPECT_EQ(method.options.decisions.rollouts.step_limit, 3);
  EXPECT_TRUE(method.sets_step_limit);
  EXPECT_EQ(method.options.decisions.rollouts.rollouts_per_action, 4);
  EXPECT_EQ(method.options.queries.sampling.temperature, 0);
  EXPECT_EQ(method.options.prompts.recency, 5U);
  EXPECT_EQ(method.options.queries.policy_temperature, 1.5);
  EXPECT_EQ(method.options.prompts.success_threshold, -2);
  EXPECT_TRUE(method.options.decisions.online);
  EXPECT_EQ(method.options.queries.timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(method.options.decisions.warm_up.successes, 1);
  apply_setting("policy_temperature=none", method);
  EXPECT_FALSE(method.options.queries.policy_temperature);
}

TEST(Methods, TheDomainFillsInWhatIsNotSet) {
  Method method;
  EXPECT_EQ(method_for(method, MiniInvaders{}.facts()).options.decisions.rollouts.step_limit, 8);
  apply_setting("step_limit=3", method);
  EXPECT_EQ(method_for(method, MiniInvaders{}.facts()).options.decisions.rollouts.step_limit, 3);
  method.kind = AgentKind::no_argmax;
  const auto options = method_for(method, MiniInvaders{}.facts()).options;
  EXPECT_EQ(options.decisions.rule, ActionRule::rollout_policy);
  EXPECT_EQ(options.prompts.success_threshold, 1);
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
