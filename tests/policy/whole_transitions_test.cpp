// SPDX-License-Identifier: MIT
// Whole transitions from prompts: what is asked, how it is read, and what it costs.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/models/scripted.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/answer_reader.hpp"
#include "support/agent_options.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

PolicyIterationOptions whole(PolicyIterationOptions options = {}) {
  options.prompts.transition_questions = TransitionQuestions::whole;
  return options;
}

TEST(WholeTransitions, AreNotWhatAgentsAskUnlessTold) {
  EXPECT_EQ(PolicyIterationOptions{}.prompts.transition_questions, TransitionQuestions::separate);
  EXPECT_EQ(paper_options().prompts.transition_questions, TransitionQuestions::separate);
  EXPECT_EQ(whole().prompts.description(), PromptOptions{}.description() + ", transition_questions=whole");
}

/// How an answer was read.
struct Read {
  AnswerStatus status;
  int parts;
  friend bool operator==(const Read&, const Read&) = default;
};

class WholeTransitionReader : public ::testing::Test {
 protected:
  Answer answer(std::string text, FinishReason finish = FinishReason::stop, bool restricted = false) {
    Completion completion = ScriptedModel::answer(std::move(text));
    completion.finish = finish;
    return read_answer(agent.memory().state(), QueryKind::transition, completion, memory, restricted);
  }
  Read read(std::string text, FinishReason finish = FinishReason::stop, bool restricted = false) {
    const Answer read = answer(std::move(text), finish, restricted);
    return {read.status, read.parts};
  }

  static constexpr Read whole_one{AnswerStatus::valid, 3};
  static constexpr Read terminal{AnswerStatus::valid, 2};
  Chain env;
  InductionModel model;
  PolicyIteration<Chain, InductionModel> agent{env, model, whole()};
  std::string memory;
};

TEST_F(WholeTransitionReader, ReadsPartByPart) {
  const Answer goes_on = answer("assert not done\nassert reward == 0\nassert state == 3 and state != 4");
  EXPECT_EQ(goes_on.status, AnswerStatus::valid);
  EXPECT_EQ(goes_on.parts, 3);
  EXPECT_FALSE(goes_on.terminated);
  EXPECT_EQ(goes_on.reward, 0);
  EXPECT_EQ(agent.memory().text(goes_on.observation), "assert state == 3 and state != 4\n");
  const Answer ends = answer("assert done\nassert reward == 1");
  EXPECT_EQ(ends.status, AnswerStatus::valid);
  EXPECT_EQ(ends.parts, 2);
  EXPECT_TRUE(ends.terminated);
  EXPECT_EQ(ends.reward, 1);
}

TEST_F(WholeTransitionReader, StopsAtTheFirstPartThatCannotBeRead) {
  EXPECT_EQ(read(""), (Read{AnswerStatus::invalid, 0}));
  EXPECT_EQ(read("\nassert not done\nassert reward == 0\nassert state == 3 and state != 4"),
            (Read{AnswerStatus::invalid, 0}));
  EXPECT_EQ(read("assert perhaps\nassert reward == 0\nassert state == 3 and state != 4"),
            (Read{AnswerStatus::invalid, 0}));
  EXPECT_EQ(read("assert not done"), (Read{AnswerStatus::invalid, 1}));
  EXPECT_EQ(read("assert not done\nassert state == 3 and state != 4\nassert reward == 0"),
            (Read{AnswerStatus::invalid, 1}));
  EXPECT_EQ(read("assert not done\nassert reward == nan\nassert state == 3 and state != 4"),
            (Read{AnswerStatus::invalid, 1}));
  EXPECT_EQ(read("assert not done\nassert reward == 0"), (Read{AnswerStatus::invalid, 2}));
  EXPECT_EQ(read("assert not done\nassert reward == 0\nstate is 3"), (Read{AnswerStatus::invalid, 2}));
  EXPECT_EQ(read("assert done"), (Read{AnswerStatus::invalid, 1}));
}

TEST_F(WholeTransitionReader, ReadsNothingAfterTheLastPart) {
  EXPECT_EQ(read("assert done\nassert reward == 1\nassert state == 3 and state != 4"), terminal);
  EXPECT_EQ(read("assert done\nassert reward == 1\nThe episode is over."), terminal);
  EXPECT_EQ(read("assert not done\nassert reward == 0\nassert state == 3 and state != 4\nstate.left()"), whole_one);
  EXPECT_EQ(read("assert not done\nassert reward == 0\nassert state == 3 and state != 4\n"), whole_one);
}

TEST_F(WholeTransitionReader, TakesWhatWasCutOffOnlyWhereItWasWhole) {
  const auto cut = [&](std::string text) { return read(std::move(text), FinishReason::length); };
  EXPECT_EQ(cut("assert not done\nassert reward == 0\nassert state == 3 and state != 4"),
            (Read{AnswerStatus::invalid, 2}));
  EXPECT_EQ(cut("assert not done\nassert reward == 0\nassert state == 3 and state != 4\nst"), whole_one);
  EXPECT_EQ(cut("assert done\nassert reward == 1\nas"), terminal);
  EXPECT_EQ(cut("assert done\nassert rew"), (Read{AnswerStatus::invalid, 1}));
}

TEST_F(WholeTransitionReader, IsNoAnswerWhereTheModelWentOnOrFailed) {
  EXPECT_EQ(read("assert done\nassert reward == 1\n\nassert state == 3 and state != 4\n"),
            (Read{AnswerStatus::invalid, 0}));
  EXPECT_EQ(read("assert done\nassert reward == 1", FinishReason::error), (Read{AnswerStatus::invalid, 0}));
  Completion failure = ScriptedModel::failure(ErrorCategory::transport);
  EXPECT_EQ(read_answer(agent.memory().state(), QueryKind::transition, failure, memory).status, AnswerStatus::failed);
}

TEST_F(WholeTransitionReader, HoldsRewardsAgainstThoseThatWereSeenWhereToldTo) {
  agent.train(env, {.steps = 30});
  const auto restricted = [&](std::string text) { return read(std::move(text), FinishReason::stop, true); };
  EXPECT_EQ(restricted("assert done\nassert reward == 7"), (Read{AnswerStatus::invalid, 1}));
  EXPECT_EQ(read("assert done\nassert reward == 7"), terminal);
  EXPECT_EQ(restricted("assert not done\nassert reward == 0\nassert state == 3 and state != 4"), whole_one);
}

TEST(WholeTransitions, AreAskedInPlaceOfTheThreeQuestions) {
  for (auto options : {PolicyIterationOptions{}, paper_options()}) {
    Chain env;
    InductionModel model;
    PolicyIteration<Chain, InductionModel> agent(env, model, whole(options));
    std::set<QueryKind> kinds;
    std::set<int> parts;
    agent.model().observe_queries([&](const QueryRecord& record) {
      kinds.insert(record.question.kind);
      if (record.status == AnswerStatus::valid && record.question.kind == QueryKind::transition)
        parts.insert(record.parts);
    });
    agent.train(env, {.steps = 80});
    EXPECT_TRUE(kinds.contains(QueryKind::transition));
    for (const QueryKind kind : {QueryKind::termination, QueryKind::reward, QueryKind::observation})
      EXPECT_FALSE(kinds.contains(kind));
    EXPECT_EQ(parts, (std::set<int>{2, 3}));
  }
}

TEST(WholeTransitions, MayTakeThreeAnswersTokensAndEndAtABlankLine) {
  Chain env;
  InductionModel inner;
  std::size_t transitions = 0;
  ScriptedModel model([&](const CompletionRequest& request) {
    Completion completion;
    inner.complete(std::span(&request, 1), std::span(&completion, 1));
    const bool transition = request.stop[0] == "\n\n";
    transitions += transition ? 1 : 0;
    EXPECT_EQ(request.sampling.max_tokens, transition ? 300 : 100);
    for (const PromptExample& each : request.examples) {
      EXPECT_TRUE(!transition || request.prefix.text.substr(each.end - 1, 2) == "\n\n");
    }
    return completion;
  });
  auto options = whole();
  options.queries.sampling.max_tokens = 100;
  PolicyIteration<Chain, ScriptedModel> agent(env, model, options);
  agent.train(env, {.steps = 40});
  EXPECT_GT(transitions, 50U);
}

/// Everything that was decided and imagined.
template <class Env, class LM>
std::vector<double> play(LM& model, const PolicyIterationOptions& options, std::size_t steps, Costs* costs = nullptr) {
  Env env;
  PolicyIteration<Env, LM> agent(env, model, options);
  std::vector<double> history;
  agent.callbacks().on_decision = [&](const Decision& decision) {
    history.push_back(static_cast<double>(decision.action));
    const auto values = decision.returns.values();
    history.insert(history.end(), values.begin(), values.end());
  };
  agent.train(env, {.steps = steps});
  if (costs != nullptr) *costs = agent.costs();
  return history;
}

TEST(WholeTransitions, DoNotDependOnThreadsOrderAndConcurrency) {
  auto paper = whole(paper_options());
  paper.prompts.context_tokens = 1200;
  paper.decisions.explorations = {WarmUp{.successes = 1}};
  for (auto options : {whole(), paper}) {
    InductionModel model;
    const auto expected = play<MiniCatch>(model, options, 25);
    EXPECT_GT(expected.size(), 50U);
    InductionModel threaded({.threads = 3});
    options.queries.threads = 3;
    EXPECT_EQ(play<MiniCatch>(threaded, options, 25), expected);
    testing::ShuffledLanguageModel<InductionModel> shuffled(InductionModel{}, 5, 11);
    EXPECT_EQ(play<MiniCatch>(shuffled, options, 25), expected);
    if (auto* rollouts = options.decisions.values.get_if<MeanOfRollouts>()) rollouts->options.speculate = true;
    EXPECT_EQ(play<MiniCatch>(model, options, 25), expected);
  }
}

/// Calls of a model that is always right, as a part of those of separate questions. It learns the same either way.
template <class Env>
double part_of_calls(PolicyIterationOptions options) {
  OracleModel<Env> model;
  Costs separate, one;
  const auto expected = play<Env>(model, options, 60, &separate);
  EXPECT_EQ(play<Env>(model, whole(options), 60, &one), expected);
  EXPECT_LE(3 * one.rounds, separate.rounds + one.rounds);
  return static_cast<double>(one.lm_calls) / static_cast<double>(separate.lm_calls);
}

/// A step that ends saves one question of two, others two of three; many of those that are imagined in mini-catch end.
TEST(WholeTransitions, TakeLittleMoreThanAThirdOfTheCalls) {
  PolicyIterationOptions every_decision_anew = icpi_test::much_asking_options();
  every_decision_anew.queries.deduplicate = false;
  EXPECT_LE(part_of_calls<Chain>(every_decision_anew), 0.39);
  EXPECT_LE(part_of_calls<MiniCatch>(every_decision_anew), 0.39);
}

/// What one new step does not change is not asked again: of separate questions that is more.
TEST(WholeTransitions, SaveLessWhereAnswersAreKept) {
  EXPECT_LE(part_of_calls<Chain>(icpi_test::much_asking_options()), 0.4);
  EXPECT_LE(part_of_calls<MiniCatch>(icpi_test::much_asking_options()), 0.45);
}

}  // namespace
}  // namespace icpi
