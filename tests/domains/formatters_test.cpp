// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "icpi/domains/all.hpp"
#include "support/domain_table.hpp"

namespace icpi::test {
namespace {

/// What the golden file of a domain shows.
template <class Env>
struct Sample {
  std::vector<typename Env::Observation> observations;
  std::vector<double> rewards;
  TransitionOf<Env> going_on;
  TransitionOf<Env> last;
};

Sample<Chain> sample(const Chain&) {
  return {{6, 4}, {0, 1}, {6, ChainAction::left, 0, false, false, 5}, {4, ChainAction::try_goal, 1, true, false, 4}};
}
Sample<DistractorChain> sample(const DistractorChain&) {
  return {{{6, 3}, {4, 3}},
          {0, 1},
          {{6, 3}, ChainAction::left, 0, false, false, {5, 1}},
          {{4, 3}, ChainAction::try_goal, 1, true, false, {4, 0}}};
}
Sample<Maze> sample(const Maze&) {
  return {{{2, 1}, {1, 0}},
          {0, 1},
          {{2, 1}, MazeAction::left, 0, false, false, {2, 0}},
          {{1, 0}, MazeAction::down, 1, true, false, {2, 0}}};
}
Sample<MiniCatch> sample(const MiniCatch&) {
  return {{{2, 0, 4}, {0, 3, 1}, {1, 1, 0}},
          {0, 1},
          {{2, 0, 4}, MiniCatchAction::left, 0, false, false, {1, 0, 3}},
          {{1, 1, 0}, MiniCatchAction::stay, 1, true, false, {1, 1, 0}}};
}
Sample<MiniInvaders> sample(const MiniInvaders&) {
  const auto dead = std::nullopt;
  return {{{2, {Alien{3, 5}, Alien{1, 5}}}, {1, {Alien{1, 2}, dead}}, {0, {dead, Alien{1, -1}}}, {3, {dead, dead}}},
          {0, 1, 2},
          {{2, {Alien{3, 5}, Alien{1, 5}}}, MiniInvadersAction::left, 0, false, false, {1, {Alien{3, 4}, Alien{1, 4}}}},
          {{1, {dead, Alien{1, 2}}}, MiniInvadersAction::shoot, 1, true, false, {1, {dead, dead}}}};
}
Sample<PointMass> sample(const PointMass&) {
  return {{{-3.45, 0}, {-1e-9, -0.0}, {2, 1}, {2.004, -2}, {12.5, 3}},
          {0, 1},
          {{-3.45, 0}, PointMassAction::accel, 0, false, false, {-3.45, 1}},
          {{1.25, 0}, PointMassAction::decel, 1, true, false, {1.25, -1}}};
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? "\\n" : std::string(1, c);
  return result;
}

/// Every piece of a domain's text under a heading.
template <class Env>
std::string render() {
  const Env env;
  const default_formatter_t<Env> formatter(env);
  const default_formatter_t<Env> plain(env, {.hints = false});
  const auto show = sample(env);
  std::string text = "## observations\n";
  for (const auto& seen : show.observations) text += formatter.observation(seen);
  text += "## observations without hints\n";
  for (const auto& seen : show.observations) text += plain.observation(seen);
  text += "## actions\n";
  for (const auto& action : env.actions()) text += formatter.action(action);
  text += "## rewards\n";
  for (const double reward : show.rewards) text += formatter.reward(reward);
  text += "## terminations\n" + formatter.termination(true) + formatter.termination(false);
  text += "## a trajectory\n" + formatter.episode_start() + formatter.trajectory_step(show.going_on) +
          formatter.trajectory_step(show.last);
  text += "## the same without hints\n" + plain.episode_start() + plain.trajectory_step(show.going_on) +
          plain.trajectory_step(show.last);
  text += "## completions stop at\n";
  for (const QueryKind kind : query_kinds) text += fmt::format("{}: {}\n", name(kind), escaped(formatter.stop(kind)));
  return text;
}

template <class Env>
class Formatters : public testing::Test {
 protected:
  using Formatter = default_formatter_t<Env>;

  /// A text as the model gives it: without its stop string.
  std::string completion(QueryKind kind, const std::string& text) const {
    const std::string_view stop = formatter_.stop(kind);
    EXPECT_TRUE(text.ends_with(stop));
    return text.substr(0, text.size() - stop.size());
  }

  Env env_;
  Formatter formatter_{env_};
  Formatter plain_{env_, {.hints = false}};
};

using Domains = testing::Types<Chain, DistractorChain, Maze, MiniCatch, MiniInvaders, PointMass>;
TYPED_TEST_SUITE(Formatters, Domains);

TYPED_TEST(Formatters, WriteWhatTheGoldenFileShows) {
  const std::string path = fmt::format("{}/domain_text_{}.txt", ICPI_GOLDEN_DIR, TypeParam::name);
  std::ifstream file(path);
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(render<TypeParam>(), golden.str()) << path;
}

TYPED_TEST(Formatters, ReadTheirOwnTextsBack) {
  for (const TableStep& step : read_domain_table(TypeParam::name).steps) {
    const auto state = table_state<typename TypeParam::Observation>(step.state);
    for (const auto* formatter : {&this->formatter_, &this->plain_}) {
      const std::string text = this->completion(QueryKind::observation, formatter->observation(state));
      EXPECT_EQ(formatter->parse_observation(text), state) << text;
      EXPECT_TRUE(formatter->accepts_observation(text)) << text;
    }
  }
  for (const auto& action : this->env_.actions())
    EXPECT_EQ(this->formatter_.parse_action(this->completion(QueryKind::action, this->formatter_.action(action))),
              action);
  for (const bool done : {false, true})
    EXPECT_EQ(this->formatter_.parse_termination(
                  this->completion(QueryKind::termination, this->formatter_.termination(done))),
              done);
}

TYPED_TEST(Formatters, ReadEveryFiniteRewardBackExactly) {
  using Limits = std::numeric_limits<double>;
  std::vector<double> rewards{0,
                              1,
                              2,
                              -1,
                              0.1,
                              1.0 / 3,
                              -1e-9,
                              123456789.125,
                              1e16,
                              1e22,
                              Limits::max(),
                              Limits::min(),
                              Limits::denorm_min(),
                              -Limits::max()};
  RandomStream stream(RandomKey(3));
  for (int i = 0; i < 300; ++i) rewards.push_back((stream.uniform() - 0.5) * std::pow(10, stream.uniform() * 40 - 20));
  for (const double reward : rewards) {
    const auto read =
        this->formatter_.parse_reward(this->completion(QueryKind::reward, this->formatter_.reward(reward)));
    ASSERT_TRUE(read.has_value()) << reward;
    EXPECT_EQ(*read, reward);
  }
  EXPECT_EQ(this->formatter_.reward(-0.0), this->formatter_.reward(0.0));
  EXPECT_THROW((void)this->formatter_.reward(Limits::infinity()), InvalidArgument);
  EXPECT_THROW((void)this->formatter_.reward(Limits::quiet_NaN()), InvalidArgument);
}

TYPED_TEST(Formatters, RejectOtherSpellings) {
  const auto& formatter = this->formatter_;
  const std::string one = this->completion(QueryKind::reward, formatter.reward(1));
  const auto with_number = [&](const std::string& number) {
    return one.substr(0, one.find('1')) + number + one.substr(one.find('1') + 1);
  };
  ASSERT_EQ(formatter.parse_reward(with_number("1")), 1);
  for (const char* number : {"1.0", "01", "+1", "-0", "1e0", "", " 1", "1 ", "nan", "inf", "1e999", "0x1", "1,", "one"})
    EXPECT_FALSE(formatter.parse_reward(with_number(number))) << number;
  for (const char* text : {"", "assert", "assert  done", "assert done\n", "assert done ", "done", "Assert done"})
    EXPECT_FALSE(formatter.parse_termination(text)) << text;
  for (const auto& action : this->env_.actions()) {
    const std::string text = this->completion(QueryKind::action, formatter.action(action));
    EXPECT_FALSE(formatter.parse_action(text + "\n"));
    EXPECT_FALSE(formatter.parse_action(" " + text));
    EXPECT_FALSE(formatter.parse_action(text.substr(1)));
    EXPECT_FALSE(formatter.parse_action(text.substr(0, text.size() - 1)));
  }
  EXPECT_FALSE(formatter.parse_action(""));
}

TYPED_TEST(Formatters, SkipTheHintButWantOne) {
  for (const auto& seen : sample(this->env_).observations) {
    const std::string hinted = this->completion(QueryKind::observation, this->formatter_.observation(seen));
    const std::string bare = this->completion(QueryKind::observation, this->plain_.observation(seen));
    ASSERT_TRUE(hinted.starts_with(bare + " and "));
    const auto read = this->formatter_.parse_observation(hinted);
    ASSERT_TRUE(read);
    EXPECT_EQ(this->formatter_.parse_observation(bare + " and this is wrong"), read);
    EXPECT_EQ(this->plain_.parse_observation(bare), read);
    EXPECT_FALSE(this->formatter_.parse_observation(bare)) << "no hint";
    EXPECT_FALSE(this->formatter_.parse_observation(bare + " and "));
    EXPECT_FALSE(this->formatter_.parse_observation(bare + " or what"));
    EXPECT_FALSE(this->formatter_.parse_observation(bare + " and two\nlines"));
    EXPECT_FALSE(this->formatter_.parse_observation(hinted + "\n")) << "the stop string belongs to the end";
    EXPECT_FALSE(this->plain_.parse_observation(hinted)) << "a hint where none is written";
  }
}

TYPED_TEST(Formatters, TakeAnyBytes) {
  RandomStream stream(RandomKey(17));
  std::vector<std::string> seeds;
  for (const auto& seen : sample(this->env_).observations) seeds.push_back(this->formatter_.observation(seen));
  for (const auto& action : this->env_.actions()) seeds.push_back(this->formatter_.action(action));
  seeds.push_back(this->formatter_.reward(-1.5));
  seeds.push_back(this->formatter_.termination(false));
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seeds[stream.index(seeds.size())];
    for (std::size_t edits = 1 + stream.index(3); edits > 0 && !text.empty(); --edits) {
      const std::size_t where = stream.index(text.size());
      switch (stream.index(3)) {
        case 0: text[where] = static_cast<char>(stream.index(256)); break;
        case 1: text.erase(where, 1 + stream.index(8)); break;
        default: text.insert(where, 1, static_cast<char>(stream.index(256))); break;
      }
    }
    for (const auto* formatter : {&this->formatter_, &this->plain_}) {
      const auto seen = formatter->parse_observation(text);
      EXPECT_EQ(seen.has_value(), formatter->accepts_observation(text));
      if (seen) {
        // Whatever is accepted is, up to the hint, exactly what would be written.
        const std::string written = this->plain_.observation(*seen);
        EXPECT_TRUE(text.starts_with(std::string_view(written).substr(0, written.size() - 1))) << text;
        ++accepted;
      }
      if (const auto reward = formatter->parse_reward(text)) {
        EXPECT_EQ(text + std::string(formatter->stop(QueryKind::reward)), formatter->reward(*reward));
      }
      (void)formatter->parse_termination(text);
      (void)formatter->parse_action(text);
    }
  }
  EXPECT_GT(accepted, 0) << "the edits are too wild to say anything";
}

template <class Env>
void expect_rejected(const std::vector<std::string>& texts) {
  const default_formatter_t<Env> formatter(Env{}, {.hints = false});
  for (const auto& text : texts) EXPECT_FALSE(formatter.parse_observation(text)) << text;
}

TEST(Observations, AreReadStrictly) {
  expect_rejected<Chain>({"", "assert state == ", "assert state == 06", "assert state == +6", "assert state == 6 ",
                          " assert state == 6", "assert state == [6]", "assert state == 6.0", "assert state == -0",
                          "assert state == 99999999999", "assert state == foo", "Assert state == 6"});
  expect_rejected<DistractorChain>({"assert state == 6", "assert state == (6)", "assert state == (6,3)",
                                    "assert state == (6, 3", "assert state == [6, 3]", "assert state == (6, 3, 1)"});
  expect_rejected<Maze>({"assert state == C(2, 1)", "assert state == C(i=2,j=1)", "assert state == C(i=2, j=)",
                         "assert state == C(j=2, i=1)", "assert state == C(i=1, j=1"});
  expect_rejected<MiniCatch>({"assert paddle == C(2, 1) and ball == C(0, 4)", "assert paddle == C(",
                              "assert ball == C(0, 4)", "assert paddle == C(2, 0) and ball == C(0)"});
  expect_rejected<MiniInvaders>(
      {"assert ship == C(2, 0) and aliens == []", "assert ship == C(2, 0) and aliens == [None]",
       "assert ship == C(2, 0) and aliens == [None, None, None]",
       "assert ship == C(2, 0) and aliens == [C(1, 2) C(1, 2)]", "assert ship == C(2, 1) and aliens == [None, None]",
       "assert ship == C(2, 0) and aliens == [none, None]"});
  expect_rejected<PointMass>({"assert pos == 1 and vel == 0.00", "assert pos == 1.0 and vel == 0.00",
                              "assert pos == 1.000 and vel == 0.00", "assert pos == 01.00 and vel == 0.00",
                              "assert pos == -0.00 and vel == 0.00", "assert pos == .50 and vel == 0.00",
                              "assert pos == 1.00 and vel == 1e2", "assert pos == inf and vel == 0.00",
                              "assert pos == --1.00 and vel == 0.00", "assert pos == 1.-5 and vel == 0.00"});
}

TEST(Observations, OutsideTheRangeAreWellFormed) {
  EXPECT_EQ(ChainFormatter{}.parse_observation("assert state == -12 and state != 4"), -12);
  EXPECT_EQ(MazeFormatter{}.parse_observation("assert state == C(i=9, j=-1) and so on"), (MazeCell{9, -1}));
  EXPECT_TRUE(
      PointMassFormatter{}.accepts_observation("assert pos == 1000.00 and vel == -77.50 and 2 < pos and vel != 0"));
}

}  // namespace
}  // namespace icpi::test
