// SPDX-License-Identifier: MIT
// A description of the task stands before every prompt, and changes nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/prompt/prompt_book.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

const std::string task = "Find the state\nin which the goal is.";

constexpr std::size_t right = 2;  ///< the action

class Book {
 public:
  Book(const std::string& text, ExampleSelection examples, std::size_t context_tokens = 1'000'000, int episodes = 40)
      : book_(source_, {.examples = std::move(examples), .context_tokens = context_tokens, .task = text},
              estimated_tokens, RandomKey(3)) {
    for (int episode = 0; episode < episodes; ++episode) {
      source_.buffer().append(testing::random_episode(env_, static_cast<std::uint64_t>(episode)));
      book_.update();
    }
  }

  /// Every prompt, drawn anew and, where they are, kept.
  std::vector<std::string> prompts() {
    std::vector<std::string> all;
    for (const QueryKind kind : query_kinds) {
      PromptScratch scratch;
      RandomStream stream{RandomKey(5)};
      book_.write(kind, right, false, stream, scratch, all.emplace_back());
    }
    if (!book_.append_only()) return all;
    for (std::size_t kind = 0; kind < 3; ++kind)
      all.push_back(book_.stable_prompt(query_kinds[kind], right, false).text);
    std::vector<StablePrompt> policies;
    book_.draw_policy_prompts(RandomKey(6), policies);
    for (const auto& each : policies) all.push_back(each.text);
    return all;
  }
  PromptBook& book() { return book_; }

 private:
  Chain env_;
  TypedPromptSource<Chain, ChainFormatter, TrajectoryBuffer<Chain>> source_{env_, TrajectoryBuffer<Chain>(env_),
                                                                            ChainFormatter(env_)};
  PromptBook book_;
};

TEST(Task, StandsBeforeEveryPromptThatIsOtherwiseTheSame) {
  for (const ExampleSelection& selection :
       {ExampleSelection(BalancedExamples{}), ExampleSelection(AppendOnlyExamples{})}) {
    const auto without = Book("", selection).prompts();
    const auto with = Book(task, selection).prompts();
    ASSERT_EQ(with.size(), without.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
      const std::size_t blank = without[i].find_first_not_of('\n');
      EXPECT_EQ(with[i], task + "\n\n" + without[i].substr(blank)) << i;
    }
  }
}

TEST(Task, BordersOfExamplesAreAsFarOn) {
  Book without("", AppendOnlyExamples{});
  Book with(task, AppendOnlyExamples{});
  const auto& before = without.book().stable_prompt(QueryKind::reward, right, false).examples;
  const auto& after = with.book().stable_prompt(QueryKind::reward, right, false).examples;
  ASSERT_FALSE(before.empty());
  ASSERT_EQ(after.size(), before.size());
  const auto length = static_cast<std::uint32_t>(task.size() + 2);
  for (std::size_t i = 0; i < after.size(); ++i)
    EXPECT_EQ(after[i],
              (PromptExample{before[i].question + length, before[i].answer + length, before[i].end + length}));
}

TEST(Task, TakesRoomAndStaysWhenPromptsAreDrawnAnew) {
  for (const ExampleSelection& selection :
       {ExampleSelection(BalancedExamples{}), ExampleSelection(AppendOnlyExamples{})}) {
    for (const auto& prompt : Book(task, selection, 200, 120).prompts()) {
      EXPECT_TRUE(prompt.starts_with(task + "\n\n")) << prompt;
      EXPECT_EQ(prompt.rfind(task), 0U);
      EXPECT_LE(estimated_tokens(prompt), 200U);
      EXPECT_GT(prompt.size(), task.size() + 20);
    }
  }
}

TEST(Task, StandsAloneWhereThereAreNoExamples) {
  Book book(task, AppendOnlyExamples{}, 1000, 0);
  EXPECT_EQ(book.book().stable_prompt(QueryKind::reward, right, false).text, task + "\n\n");
}

TEST(Task, ThatWouldNotStayApartIsRefused) {
  for (const std::string bad : {"one\n\ntwo", "\none", "one\n"})
    EXPECT_THROW(Book(bad, AppendOnlyExamples{}), InvalidArgument) << bad;
  EXPECT_THROW(Book(std::string(3000, 'x'), AppendOnlyExamples{}, 200), InvalidArgument);
}

TEST(Task, IsOffUnlessAsked) {
  EXPECT_EQ(PolicyIterationOptions{}.prompts.task, "");
  EXPECT_EQ(paper_options().prompts.task, "");
  PromptOptions options;
  options.task = task;
  EXPECT_EQ(options.description(), PromptOptions{}.description() + ", task=\"Find the state\\nin which the goal is.\"");
}

}  // namespace
}  // namespace icpi
