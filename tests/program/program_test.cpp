// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/json.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

/// A command that must be refused, and what the message must name.
struct Refusal {
  Words arguments;
  Words named;
};

class BadInput : public CommandLineTest {};

TEST_F(BadInput, IsNamedInOneLineAndNothingIsWritten) {
  const std::string out = path("out");
  const auto train = [&](Words more) {
    Words words{"train", "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::vector<Refusal> refusals{
      {train({"--domain", "cliff"}), {"'cliff'", "chain, distractor-chain, maze, mini-catch"}},
      {train({"--domain", "chain", "--agent", "sarsa"}), {"'sarsa'", "tabular-q"}},
      {train({"--domain", "chain", "--model", "gpt"}), {"'gpt'", "induction, induction/1, induction/2, oracle"}},
      {train({"--domain", "chain", "--service", "openai"}), {"--service needs --model http"}},
      {train({"--domain", "chain", "--base-url", "http://127.0.0.1:1/v1"}), {"--base-url needs --model http"}},
      {train({"--domain", "chain", "--model", "oracle", "--model-path", "x.gguf"}),
       {"--model-path needs --model llama"}},
      {train({"--domain", "chain", "--chat-style", "turns"}), {"--chat-style needs --model http or llama"}},
      {train({"--domain", "chain", "--keep-going"}), {"--keep-going needs --model http"}},
      {train({"--domain", "chain", "--seeds", "5:2"}), {"'5:2'", "A:B"}},
      {train({"--domain", "chain", "--seeds", "1:x"}), {"'1:x'", "A:B"}},
      {train({"--domain", "chain", "--seeds", "-1:4"}), {"'-1:4'", "A:B"}},
      {train({"--domain", "chain", "--seeds", "0:18446744073709551615"}), {"million"}},
      {train({"--domain", "chain", "--steps", "-3"}), {"--steps", "'-3'", "whole number"}},
      {train({"--domain", "chain", "--steps", "banana"}), {"'banana'", "whole number"}},
      {train({"--domain", "chain", "--steps", "0"}), {"'0'", "1 .."}},
      {train({"--domain", "chain", "--steps", "99999999999999999999"}), {"'99999999999999999999'"}},
      {train({"--domain", "chain", "--jobs", "0"}), {"--jobs", "'0'"}},
      {train({"--domain", "chain", "--options", "bset"}), {"'bset'", "recommended, best (the same), paper"}},
      {train({"--domain", "chain", "--set", "temprature=1"}), {"'temprature'", "temperature"}},
      {train({"--domain", "chain", "--set", "temperature=-1"}), {"temperature", "'-1'", "0 or more"}},
      {train({"--domain", "chain", "--set", "temperature=nan"}), {"'nan'", "0 or more"}},
      {train({"--domain", "chain", "--set", "temperature"}), {"'temperature'", "name=value"}},
      {train({"--domain", "chain", "--recency", "none"}), {"--recency", "'none'"}},
      {train({"--domain", "chain", "--frobnicate"}), {"'--frobnicate'", "--no-hints"}},
      {train({"--domain", "chain", "extra"}), {"'extra'"}},
      {train({"--domain", "chain", "--agent", "random", "--no-hints"}), {"no-hints", "'random'"}},
      {train({"--domain", "chain", "--agent", "random", "--bootstrap"}), {"bootstrap", "'random'", "tabular-q"}},
      {train({"--domain", "chain", "--record", path("x"), "--jobs", "2"}), {"--record", "--jobs 2"}},
      {train({"--domain", "chain", "--max-calls", "0"}), {"--max-calls", "'0'"}},
      {train({"--domain", "chain", "--max-total-tokens", "1e6"}), {"--max-total-tokens", "'1e6'"}},
      {train({"--domain", "chain", "--max-cost", "5"}), {"--max-cost", "--prompt-price"}},
      {train({"--domain", "chain", "--max-cost", "0", "--prompt-price", "1"}), {"--max-cost", "'0'", "above 0"}},
      {{"train", "--resume", ""}, {"--resume", "names no folder"}},
      {train({"--domain", "chain", "--prompt-price", "-2"}), {"--prompt-price", "'-2'"}},
      {train({"--domain", "chain", "--require-cache"}), {"--require-cache", "--cache"}},
      {train({"--domain", "chain", "--requests-per-minute", "9", "--jobs", "2"}), {"--requests-per-minute"}},
      {train({}), {"--domain"}},
      {{"train", "--domain", "chain"}, {"--out"}},
      {{"train", "--domain", "chain", "--out", "/dev/null"}, {"'/dev/null'", "folder"}},
      {{"train", "--domain", "chain", "--out", "/proc/no/such"}, {"'/proc/no/such'", "new or empty folder"}},
      {{"reproduce", "--out", out, "--agents", "nobody"}, {"'nobody'", "icpi-no-hints"}},
      {{"reproduce", "--out", out, "--domains", "chain,cliff"}, {"'cliff'"}},
      {{"reproduce", "--out", out, "--model", "induction,gpt"}, {"'gpt'"}},
      {{"plot", path("nowhere"), "--out", out}, {"nowhere"}},
      {{"show", "--domain", "chain", "--agent", "random"}, {"'random'"}},
      {{"show", "--domain", "chain", "--model", "oracle", "--step", "99"}, {"99", "the episode ended"}},
      {train({"--domain", "chain", "--task", "Go.", "--describe-task"}),
       {"--task and --describe-task: give one of them"}},
      {train({"--domain", "chain", "--env-arg", "size=8"}), {"--env-arg and --step-limit go with --env only"}},
      {train({"--env", "gymnasium"}), {"'gymnasium'", "KIND:NAME", "gym, lock, minigrid"}},
      {train({"--env", "gym:"}), {"'gym:'", "nothing is named after the colon"}},
      {train({"--env", "process:server", "--env-arg", "size=8"}), {"--env-arg", "'process:'", "into the command"}},
      {train({"--domain", "chain", "--resume", out}), {"--out does not go with --resume"}},
      {{"assess", "--domain", "chain", "--agent", "random"}, {"'random' asks no model", "icpi, no-argmax"}},
      {{"sweep"}, {"the plan is missing"}},
      {{"sweep", "plan.toml", "--out", out, "--no-submit"}, {"--no-submit", "with --slurm only"}},
      {{"merge", "/proc/self", "--out", out}, {"'/proc/self'", "neither a run nor a sweep"}},
      {{"frobnicate"}, {"'frobnicate'", "train"}},
      {{}, {"subcommand"}},
  };
  for (const auto& refusal : refusals) {
    const CommandResult result = icpi(refusal.arguments);
    SCOPED_TRACE(result.error);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1);
    for (const auto& name : refusal.named) EXPECT_THAT(result.error, HasSubstr(name));
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
  }
}

TEST_F(BadInput, AFolderThatIsNotEmptyIsLeftAsItIs) {
  std::filesystem::create_directories(folder_ / "out");
  std::ofstream(folder_ / "out" / "episodes.jsonl") << "precious";
  for (const Words& command :
       {Words{"train", "--domain", "chain", "--agent", "random"}, Words{"reproduce", "--agents", "random"}}) {
    Words words = command;
    words.insert(words.end(), {"--out", path("out")});
    const CommandResult result = icpi(words);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.error, HasSubstr("not empty"));
    EXPECT_EQ(read(path("out/episodes.jsonl")), "precious");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "out"), {}), 1);
  }
}

class Train : public CommandLineTest {
 protected:
  std::string records(const Words& more, const std::string& name) {
    Words words{"train", "--out", path(name)};
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult result = icpi(words);
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.error, "");  // no progress when nobody looks
    return read(path(name + "/episodes.jsonl"));
  }
};

TEST_F(Train, WritesRecordsThatReadBack) {
  const std::string text = records({"--domain", "mini-invaders", "--model", "oracle", "--seeds", "3:5"}, "out");
  std::istringstream lines(text);
  std::uint64_t seed = 3;
  std::uint64_t step = 0;
  std::uint64_t calls = 0;
  for (std::string line; std::getline(lines, line);) {
    const EpisodeRecord record = parse_episode_record(line);
    if (record.seed != seed) {
      EXPECT_GE(step, 175U);
      step = 0;
      ++seed;
    }
    step += record.length;
    EXPECT_EQ(record.seed, seed);
    EXPECT_EQ(record.step, step);
    EXPECT_EQ(record.domain, "mini-invaders");
    EXPECT_EQ(record.agent, "icpi-best");
    EXPECT_EQ(record.model, "oracle");
    EXPECT_EQ(record.optimal_return, 1);
    calls += record.lm_calls;
  }
  EXPECT_EQ(seed, 4U);
  EXPECT_GT(calls, 1000U);
  const Json run = Json::parse(read(path("out/run.json")));
  EXPECT_EQ(run["horizons"]["mini-invaders"].integer<int>(), 175);
  EXPECT_EQ(run["runs"].array().at(0)["options"]["step_limit"].string(), "8");
  EXPECT_THAT(read(path("out/summary.csv")), HasSubstr("mini-invaders,icpi-best,oracle,2,"));
}

TEST_F(Train, RecordsHaveReturnsOfEveryKind) {
  std::istringstream lines(records({"--domain", "chain", "--model", "oracle", "--seeds", "0:1"}, "out"));
  std::size_t reached = 0;
  for (std::string line; std::getline(lines, line);) {
    const EpisodeRecord record = parse_episode_record(line);
    ASSERT_TRUE(record.undiscounted_return && record.discounted_return) << line;
    EXPECT_EQ(*record.undiscounted_return, record.episode_return > 0 ? 1 : 0) << line;
    EXPECT_DOUBLE_EQ(*record.discounted_return, record.episode_return) << line;
    reached += record.episode_return > 0 ? 1 : 0;
  }
  EXPECT_GT(reached, 5U);
}

TEST_F(Train, ResultsDoNotDependOnTheNumberOfJobs) {
  for (const Words& method : {Words{"--agent", "icpi", "--model", "oracle"}, Words{"--agent", "icpi"},
                              Words{"--agent", "matching-model"}, Words{"--agent", "tabular-q"}}) {
    Words words{"--domain", "chain", "--seeds", "0:3", "--steps", "30"};
    words.insert(words.end(), method.begin(), method.end());
    const std::string name = "out" + method.back();
    const std::string one = records(words, name + "1");
    words.insert(words.end(), {"--jobs", "3"});
    EXPECT_EQ(records(words, name + "3"), one);
  }
}

TEST_F(Train, OptionsChangeTheLabelAndTheRun) {
  const std::string plain =
      records({"--domain", "chain", "--model", "oracle", "--seeds", "0", "--options", "paper"}, "plain");
  const std::string changed = records({"--domain", "chain", "--model", "oracle", "--seeds", "0", "--options", "paper",
                                       "--no-hints", "--recency", "16", "--set", "rollouts_per_action=2"},
                                      "changed");
  const std::string recommended = records({"--domain", "chain", "--model", "oracle", "--seeds", "0"}, "recommended");
  EXPECT_THAT(recommended, HasSubstr("\"agent\":\"icpi-best\""));
  const std::vector<std::pair<Words, std::string>> versions{
      {{}, "induction/2"}, {{"--options", "paper"}, "induction/1"}, {{"--model", "induction/1"}, "induction/1"}};
  for (const auto& [words, version] : versions) {
    Words all{"--domain", "chain", "--seeds", "0", "--steps", "5"};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_THAT(records(all, "version" + (words.empty() ? "" : words[0])), HasSubstr("\"model\":\"" + version + "\""));
  }
  EXPECT_THAT(changed, HasSubstr("\"agent\":\"icpi-no-hints-recency-16-rollouts_per_action=2\""));
  EXPECT_THAT(plain, HasSubstr("\"agent\":\"icpi\""));
  const Json run = Json::parse(read(path("changed/run.json")));
  EXPECT_EQ(run["runs"].array().at(0)["options"]["rollouts_per_action"].string(), "2");
  EXPECT_FALSE(run["runs"].array().at(0)["hints"].boolean());
}

TEST_F(Train, ADryRunPredictsAndWritesNothing) {
  const CommandResult result = icpi({"train", "--domain", "maze", "--dry-run", "--out", path("out")});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("LM calls"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(Train, RecordsWhatTheModelWasAsked) {
  records({"--domain", "chain", "--model", "oracle", "--seeds", "1", "--steps", "30", "--record", path("lm.jsonl")},
          "out");
  const std::string text = read(path("lm.jsonl"));
  EXPECT_GT(std::count(text.begin(), text.end(), '\n'), 20);
  EXPECT_THAT(text, HasSubstr("assert state == "));
}

class Reproduce : public CommandLineTest {};

TEST_F(Reproduce, WritesRecordsCurvesTableAndFigures) {
  const CommandResult made = icpi({"reproduce", "--model", "oracle", "--domains", "chain,maze", "--steps", "24",
                                   "--seeds", "0:2", "--jobs", "2", "--out", path("out")});
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_THAT(made.out, HasSubstr("| icpi (oracle) |"));
  EXPECT_THAT(made.out, HasSubstr("| code-davinci-002 (paper) | .178 / .010 | .177 / .012 |"));
  for (const std::string name : {"figure-methods", "figure-ablations"}) {
    EXPECT_THAT(read(path("out/" + name + ".svg")), HasSubstr("<svg"));
    EXPECT_THAT(read(path("out/" + name + ".png")), HasSubstr("PNG"));
    EXPECT_THAT(made.out, HasSubstr(name + ".svg"));
  }
  const std::string csv = read(path("out/curves.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 10 * 20);
  EXPECT_THAT(csv, HasSubstr("maze,icpi-recency-16,oracle,2,0,"));

  const CommandResult plotted = icpi({"plot", path("out"), "--out", path("again")});
  ASSERT_EQ(plotted.code, 0) << plotted.error;
  EXPECT_EQ(read(path("again/curves.csv")), csv);
  EXPECT_EQ(read(path("again/figure-methods.svg")), read(path("out/figure-methods.svg")));
}

TEST_F(Reproduce, SeveralModelsMakeTheThirdFigure) {
  const CommandResult made = icpi({"reproduce", "--model", "oracle,induction", "--agents", "icpi,random", "--domains",
                                   "chain", "--steps", "24", "--seeds", "0:2", "--out", path("out")});
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_THAT(made.out, HasSubstr("figure-models.svg"));
  EXPECT_THAT(made.out, Not(HasSubstr("figure-ablations")));
  EXPECT_THAT(made.out, HasSubstr("| icpi (oracle) |"));
  EXPECT_THAT(made.out, HasSubstr("| icpi (induction"));
}

TEST_F(Reproduce, ARunWithTheRecommendedOptionsIsDrawnAmongTheMethods) {
  ASSERT_EQ(icpi({"train", "--domain", "chain", "--options", "best", "--model", "oracle", "--steps", "24", "--seeds",
                  "0:2", "--out", path("best")})
                .code,
            0);
  ASSERT_EQ(icpi({"train", "--domain", "chain", "--agent", "random", "--steps", "24", "--out", path("random")}).code,
            0);
  const CommandResult plotted = icpi({"plot", path("best"), path("random"), "--out", path("out")});
  ASSERT_EQ(plotted.code, 0) << plotted.error;
  EXPECT_THAT(plotted.out, Not(HasSubstr("figure-ablations")));
  const std::string drawn = read(path("out/figure-methods.gp"));
  EXPECT_THAT(drawn, HasSubstr("title 'icpi-best'"));
  EXPECT_THAT(drawn, HasSubstr("title 'random'"));
}

TEST_F(Reproduce, DamagedRecordsAreNamedByFileAndLine) {
  ASSERT_EQ(icpi({"train", "--domain", "chain", "--agent", "random", "--out", path("run")}).code, 0);
  std::ofstream(folder_ / "run" / "episodes.jsonl", std::ios::app) << "{\"domain\":\n";
  const CommandResult result = icpi({"plot", path("run"), "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.error, HasSubstr("episodes.jsonl, line "));
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

class Lists : public CommandLineTest {};

TEST_F(Lists, NameDomainsModelsAndSettings) {
  const CommandResult domains = icpi({"domains"});
  EXPECT_EQ(domains.code, 0);
  EXPECT_THAT(domains.out, HasSubstr("mini-invaders\n  horizon 175 steps"));
  EXPECT_THAT(domains.out, HasSubstr("reward = try_goal(state)"));
  const CommandResult models = icpi({"models"});
  EXPECT_THAT(models.out, HasSubstr("induction"));
  EXPECT_THAT(models.out, HasSubstr("http"));
  const CommandResult settings = icpi({"settings"});
  EXPECT_THAT(settings.out, HasSubstr("context_tokens"));
  EXPECT_EQ(icpi({"--version"}).code, 0);
  EXPECT_THAT(icpi({"--help"}).out, HasSubstr("reproduce"));
}

/// What a shell does to a stream before the program starts, and whether the program can write to it then.
class StandardStreams : public CommandLineTest {
 protected:
  CommandResult run(const Words& words, const std::string& before) { return finish(start(words, before)); }

  const Words play_{"train", "--domain", "chain", "--agent", "random", "--seeds", "0:2", "--steps", "20", "--out"};

  Words play(const std::string& name) const {
    Words words = play_;
    words.push_back(path(name));
    return words;
  }
};

TEST_F(StandardStreams, ResultsThatCannotBeWrittenAreAFailedRun) {
  const std::string message = "icpi: writing to standard output failed\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"exec >&-", message}, {"exec >/dev/full", message}, {"exec >/dev/full 2>&1", ""}, {"exec >&- 2>&-", ""}};
  for (const auto& [before, error] : cases) {
    SCOPED_TRACE(before);
    for (const Words& words : {Words{"settings"}, Words{"domains"}, Words{"models"}, Words{"--help"},
                               Words{"train", "--help"}, Words{"--version"}}) {
      const CommandResult result = run(words, before);
      EXPECT_EQ(result.code, 1) << words[0];
      EXPECT_EQ(result.error, error) << words[0];
    }
  }
}

TEST_F(StandardStreams, AReaderThatWentAwayIsAnErrorAndNoSignal) {
  // Longer than what a pipe holds, so that the end of the reader is noticed.
  const Words words{"show", "--domain", "mini-invaders", "--model", "oracle", "--episodes", "20", "--whole-prompts"};
  const CommandResult result =
      run(words, "exec 3>&1; { \"$0\" \"$@\"; echo \"ended with $?\" >&3; } | head -n 1; exit");
  EXPECT_THAT(result.out, HasSubstr("ended with 1\n"));
  EXPECT_EQ(result.error, "icpi: writing to standard output failed\n");
}

TEST_F(StandardStreams, MessagesThatNobodyCanReadChangeNothing) {
  for (const std::string before : {"exec 2>&-", "exec 2>/dev/full", "exec <&- 2>&-"}) {
    SCOPED_TRACE(before);
    EXPECT_EQ(run({"train", "--frobnicate"}, before).code, 2);
    EXPECT_EQ(run({"train", "--domain", "cliff", "--out", path("out")}, before).code, 2);
    EXPECT_EQ(run({"settings"}, before).code, 0);
    EXPECT_EQ(run({"settings"}, before + "; exec >&-").code, 1);
  }
}

TEST_F(StandardStreams, ARunIsTheSameWhateverTheyAre) {
  ASSERT_EQ(icpi(play("usual")).code, 0);
  const std::vector<std::pair<std::string, int>> cases{{"exec 2>&-", 0},
                                                       {"exec 2>/dev/full", 0},
                                                       {"exec >&-", 1},
                                                       {"exec >/dev/full 2>&-", 1},
                                                       {"exec <&- >&- 2>&-", 1}};
  for (const auto& [before, code] : cases) {
    SCOPED_TRACE(before);
    EXPECT_EQ(run(play("out"), before).code, code);
    for (const std::string file : {"episodes.jsonl", "run.json", "curves.csv", "summary.csv"})
      EXPECT_EQ(read(path("out/" + file)), read(path("usual/" + file))) << file;
    EXPECT_EQ(icpi({"train", "--resume", path("out")}).code, 0);  // what was said is not in the log
    std::filesystem::remove_all(path("out"));
  }
}

TEST_F(StandardStreams, ANoticeThatNobodyCanReadDoesNotEndARun) {
  ASSERT_EQ(icpi(play("usual")).code, 0);
  std::ofstream(folder_ / "usual" / "log.jsonl", std::ios::app) << "{\"part\":";  // what a dying process leaves
  EXPECT_EQ(run({"train", "--resume", path("usual")}, "exec 2>/dev/full").code, 0);
}

class Show : public CommandLineTest {};

TEST_F(Show, PrintsEveryQueryTheRolloutsAndTheValues) {
  const CommandResult result = icpi({"show", "--domain", "mini-catch", "--options", "paper", "--model", "oracle",
                                     "--episodes", "10", "--whole-prompts"});
  ASSERT_EQ(result.code, 0) << result.error;
  for (const std::string part :
       {"query 1: termination", "query 2: termination", ": reward (of a middle step)", ": observation", ": action",
        "rollout 1 of action reward = paddle.stay() / ball.descend(): return ", "answer: valid", "values:", "  * ",
        "costs: ", "  > assert paddle == C(2, 0)", "  | assert not done"})
    EXPECT_THAT(result.out, HasSubstr(part));
  EXPECT_THAT(icpi({"show", "--domain", "chain", "--model", "oracle", "--episodes", "0"}).out,
              HasSubstr("chosen at random"));
}

}  // namespace
}  // namespace icpi::program
