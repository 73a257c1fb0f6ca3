// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "icpi/core/thread_team.hpp"
#include "icpi/prompt/answer_memo.hpp"
#include "icpi/prompt/known_answers.hpp"
#include "icpi/prompt/primed_prefixes.hpp"
#include "icpi/prompt/text_interner.hpp"

namespace icpi {
namespace {

TEST(TextInterner, GivesEqualTextsEqualNumbers) {
  TextInterner texts;
  for (std::uint32_t round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(texts.intern("text " + std::to_string(i)), i);
  }
  EXPECT_EQ(texts.size(), 1000U);
  EXPECT_EQ(texts.text(17), "text 17");
  EXPECT_EQ(texts.intern(""), 1000U);
  EXPECT_EQ(texts.intern(std::string_view("a\0b", 3)), 1001U);
  EXPECT_EQ(texts.intern(std::string_view("a\0c", 3)), 1002U);
  texts.clear();
  EXPECT_EQ(texts.intern("other"), 0U);
}

TEST(AnswerMemo, TellsKeysApartByEveryField) {
  AnswerMemo memo;
  std::vector<AnswerMemo::Key> keys(10);
  keys[1].kind = QueryKind::action;
  keys[2].terminated = true;
  keys[3].action = 1;
  keys[4].observation = 1;
  keys[5].sample = 1;
  keys[6].attempt = 1;
  keys[7].prefix_identity = 1;
  keys[8].prefix_length = 1;
  keys[9].drawn = true;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto [entry, added] = memo.find_or_add(keys[i]);
    EXPECT_TRUE(added);
    entry->answer.reward = static_cast<double>(i);
  }
  for (std::uint32_t i = 0; i < 2000; ++i) {
    AnswerMemo::Key key;
    key.observation = 100 + i;
    memo.find_or_add(key);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto [entry, added] = memo.find_or_add(keys[i]);
    EXPECT_FALSE(added);
    EXPECT_EQ(entry->answer.reward, static_cast<double>(i));
  }
}

TEST(PrimedPrefixes, AreOfWhatWasAnsweredAndDoNotGrowForEver) {
  PrimedPrefixes prefixes;
  Completion failed;
  failed.error.category = ErrorCategory::cancelled;
  prefixes.note(1, failed);
  EXPECT_FALSE(prefixes.contains(1));
  for (std::uint64_t identity = 1; identity <= 20'000; ++identity) {
    prefixes.note(identity, {});
    ASSERT_TRUE(prefixes.contains(identity));
    ASSERT_LE(prefixes.size(), PrimedPrefixes::most);
  }
}

TEST(KnownAnswers, BecomeOpenWhenThereAreTooMany) {
  KnownAnswers answers;
  for (std::size_t i = 0; i < KnownAnswers::limit; ++i) answers.add(std::to_string(i));
  answers.add("0");
  EXPECT_EQ(answers.texts().size(), KnownAnswers::limit);
  answers.add("one more");
  EXPECT_TRUE(answers.texts().empty());
  answers.add("0");
  EXPECT_TRUE(answers.texts().empty());
}

TEST(ThreadTeam, DoesEveryIndexOnceAndPassesOnExceptions) {
  for (const std::size_t size : {0U, 1U, 2U, 5U}) {
    ThreadTeam team(size);
    for (int round = 0; round < 50; ++round) {
      std::vector<int> done(37);
      team.for_each(done.size(), [&](std::size_t index, std::size_t worker) {
        ASSERT_LT(worker, team.size());
        ++done[index];
      });
      EXPECT_EQ(std::count(done.begin(), done.end(), 1), 37);
    }
    const auto fail = [](std::size_t index, std::size_t) {
      if (index == 3) throw std::runtime_error("three");
    };
    EXPECT_THROW(team.for_each(10, fail), std::runtime_error);
    team.for_each(2, [](std::size_t, std::size_t) {});
  }
}

}  // namespace
}  // namespace icpi
