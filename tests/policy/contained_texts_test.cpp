// SPDX-License-Identifier: MIT
// Texts that come at run time: observations of several paragraphs, long ones, actions that begin as others do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/field_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Tells its places in paragraphs. "go" stays, "go north" goes on, "go north now" ends it, worth 1 in the last place.
class Paragraphs {
 public:
  using Observation = std::string;
  using Action = std::string;

  [[nodiscard]] const std::vector<std::string>& actions() const { return commands; }
  [[nodiscard]] static double discount() { return 0.9; }
  std::string reset(std::uint64_t) {
    steps_ = 0;
    at_ = 0;
    return text();
  }
  Step<std::string> step(const std::string& command) {
    const bool ends = command == "go north now";
    const double reward = ends && at_ == 3 ? 1 : 0;
    if (command == "go north" && at_ < 3) ++at_;
    return {text(), reward, ends, !ends && ++steps_ == 10};
  }

  std::vector<std::string> commands{"go", "go north", "go north now", "north"};
  std::size_t words = 0;  ///< more of them in the third place

 private:
  [[nodiscard]] std::string text() const {
    std::string place = "A hall.\n\nDoor \"" + std::to_string(at_) + "\" is open.\n\n\n> go north\n";
    if (at_ == 2)
      for (std::size_t i = 0; i < words; ++i) place += " stone";
    return place;
  }
  int at_ = 0;
  int steps_ = 0;
};

using ParagraphText = FieldFormatter<Paragraphs>;

ParagraphText escaping(const Paragraphs& env) {
  return ParagraphText(
      env, {bind_field<std::string>({"text", FieldKind::text}, [](auto& whole) -> auto& { return whole; })});
}

/// Writes them as they are.
struct Raw : LineFormatter<Raw, Paragraphs> {
  using LineFormatter::LineFormatter;
  [[nodiscard]] std::string observation(const std::string& seen) const { return seen; }
  [[nodiscard]] std::string action(const std::string& command) const { return command + "\n"; }
  [[nodiscard]] bool accepts_observation(std::string_view) const { return true; }
};

template <class A>
std::string complaint_of_training(A& agent, Paragraphs& env, std::size_t steps) {
  try {
    agent.train(env, {.steps = steps});
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return {};
}

TEST(ContainedTexts, ParagraphsAreEscapedAndLearned) {
  Paragraphs env;
  InductionModel model;
  PolicyIteration<Paragraphs, InductionModel, ParagraphText> agent(env, model, {.seed = 2}, escaping(env));
  EXPECT_EQ(agent.memory().action_texts(),
            (std::vector<std::string>{"go()\n", "act(\"go north\")\n", "act(\"go north now\")\n", "north()\n"}));
  std::vector<double> returns;
  agent.callbacks().on_episode = [&](const auto& episode) { returns.push_back(episode.back().reward); };
  agent.train(env, {.steps = 150});
  for (std::size_t i = returns.size() - 10; i < returns.size(); ++i) EXPECT_EQ(returns[i], 1) << i;
}

TEST(ContainedTexts, RawParagraphsAreRefusedAtTheFirst) {
  Paragraphs env;
  InductionModel model;
  for (const bool online : {false, true}) {
    PolicyIterationOptions options;
    options.decisions.update_within_episode = online;
    PolicyIteration<Paragraphs, InductionModel, Raw> agent(env, model, options);
    std::size_t decisions = 0;
    agent.callbacks().on_decision = [&](const Decision&) { ++decisions; };
    EXPECT_THAT(complaint_of_training(agent, env, 100), AllOf(HasSubstr("A hall."), HasSubstr("none of them blank")));
    EXPECT_EQ(decisions, 0U);
  }
}

TEST(ContainedTexts, LongOnesAreRefusedAtTheFirst) {
  Paragraphs env;
  env.words = 4000;
  InductionModel model;
  PolicyIteration<Paragraphs, InductionModel, ParagraphText> agent(env, model, {}, escaping(env));
  std::size_t seen = 0;
  agent.callbacks().on_step = [&](const auto& step) { seen += step.next_observation.size() > 1000 ? 1 : 0; };
  EXPECT_THAT(complaint_of_training(agent, env, 1000),
              AllOf(HasSubstr("of an observation has"), HasSubstr("context_tokens")));
  EXPECT_EQ(seen, 0U);
  env.commands.push_back("say " + std::string(40'000, 'x'));
  EXPECT_THROW((PolicyIteration<Paragraphs, InductionModel, ParagraphText>(env, model, {}, escaping(env))),
               InvalidArgument);
  EXPECT_THAT(complaint_of_training(agent, env, 1), HasSubstr("of an action has"));
}

/// Knows what comes: how likely a continuation is, is how well it begins as that.
struct Scorer {
  [[nodiscard]] std::string identity() const { return "scorer"; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model.complete(requests, completions);
  }
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      scores[i] = {};
      for (const auto text : requests[i].continuations) {
        const bool whole = text.ends_with('\n');
        wholes += whole ? 1 : 0;
        scores[i].logprobs.push_back(truth.starts_with(text) ? 0.0 : -5.0);
      }
    }
  }
  InductionModel model;
  std::string truth = "go north\n";
  std::size_t wholes = 0;
};

/// Like the others, with raw actions.
struct Plain : ParagraphText {
  explicit Plain(const Paragraphs& env) : ParagraphText(escaping(env)) {}
  [[nodiscard]] std::string action(const std::string& command) const { return command + "\n"; }
  [[nodiscard]] std::optional<std::string> parse_action(std::string_view text) const { return std::string(text); }
};

TEST(ContainedTexts, AreScoredToTheirEnds) {
  Paragraphs env;
  Scorer model;
  PolicyIterationOptions options;
  options.queries.restrict_answers = true;
  options.decisions.values = PolicyAlone{};
  options.decisions.explorations = {};
  PolicyIteration<Paragraphs, Scorer, Plain> agent(env, model, options);
  agent.import({{"a", "go", 0, true, false, "b"}});
  for (const std::string command : {"go north", "go", "go north now", "north"}) {
    model.truth = command + "\n";
    agent.begin_episode("a");
    EXPECT_EQ(agent.act("a"), command);
  }
  EXPECT_GT(model.wholes, 0U);
  // Where no text begins another one nothing is added.
  env.commands = {"go", "north"};
  model.wholes = 0;
  PolicyIteration<Paragraphs, Scorer, Plain> other(env, model, options);
  other.import({{"a", "go", 0, true, false, "b"}});
  other.begin_episode("a");
  static_cast<void>(other.act("a"));
  EXPECT_EQ(model.wholes, 0U);
}

}  // namespace
}  // namespace icpi
