// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "icpi/domains/all.hpp"
#include "icpi/domains/solver.hpp"

namespace icpi::test {
namespace {

/// The message of the InvalidArgument that `make` throws.
template <class Make>
std::string refusal(Make make) {
  try {
    make();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "accepted";
}

template <class Env, class Options>
std::string refusal_of(const Options& options) {
  return refusal([&] { Env env(options); });
}

TEST(ChainOptions, AreChecked) {
  EXPECT_EQ(refusal_of<Chain>(ChainOptions{.length = 0}), "chain: length 0 must be at least 1");
  EXPECT_EQ(refusal_of<Chain>(ChainOptions{.goal = 8}), "chain: goal 8 must be in 0..7");
  EXPECT_EQ(refusal_of<Chain>(ChainOptions{.goal = -1}), "chain: goal -1 must be in 0..7");
  EXPECT_EQ(refusal_of<Chain>(ChainOptions{.time_limit = -3}),
            "chain: time limit -3 must be 0 (none) or a positive number of steps");
  EXPECT_EQ(refusal_of<Chain>(ChainOptions{.discount = 1.5}), "chain: discount 1.5 must be in (0, 1]");
  EXPECT_EQ(refusal_of<Chain>(ChainOptions{.discount = std::numeric_limits<double>::quiet_NaN()}),
            "chain: discount nan must be in (0, 1]");
  EXPECT_EQ(refusal_of<DistractorChain>(DistractorChainOptions{.chain = {.goal = 9}}),
            "distractor-chain: goal 9 must be in 0..7");
  EXPECT_EQ(refusal_of<DistractorChain>(DistractorChainOptions{.distractors = 0}),
            "distractor-chain: distractors 0 must be at least 1");
}

TEST(ChainOptions, ShapeTheChain) {
  Chain env({.length = 20, .goal = 19, .time_limit = 5});
  const ChainFormatter formatter(env);
  EXPECT_EQ(formatter.observation(3), "assert state == 3 and state != 19\n");
  EXPECT_EQ(env.outcomes(19, ChainAction::try_goal)[0].step.reward, 1);
  EXPECT_EQ(env.outcomes(19, ChainAction::right)[0].step.observation, 19);
  EXPECT_EQ(optimal_return(env, 10, 0.8), 0) << "out of reach within the limit";
  EXPECT_NEAR(optimal_return(env, 15, 0.8), 0.4096, 1e-12);
}

TEST(CatchOptions, AreChecked) {
  EXPECT_EQ(refusal_of<MiniCatch>(MiniCatchOptions{.width = 0}), "mini-catch: width 0 must be at least 1");
  EXPECT_EQ(refusal_of<MiniCatch>(MiniCatchOptions{.height = -1}), "mini-catch: height -1 must be at least 0");
  EXPECT_EQ(refusal_of<MiniCatch>(MiniCatchOptions{.width = 2}), "mini-catch: paddle start 2 must be in 0..1");
}

TEST(CatchOptions, ShapeTheGame) {
  MiniCatch env({.width = 9, .height = 7, .paddle_start = 0});
  EXPECT_EQ(env.reset(1).ball_y, 7);
  EXPECT_EQ(env.facts().rollout_limit, 8);
  EXPECT_EQ(optimal_return(env, {0, 7, 7}, 1), 1);
  EXPECT_EQ(optimal_return(env, {0, 8, 7}, 1), 0) << "eight columns away, seven moves";
}

TEST(InvadersOptions, AreChecked) {
  EXPECT_EQ(refusal_of<MiniInvaders>(MiniInvadersOptions{.aliens = 0}), "mini-invaders: aliens 0 must be at least 1");
  EXPECT_EQ(refusal_of<MiniInvaders>(MiniInvadersOptions{.aliens = 4}),
            "mini-invaders: width 4 must be more than the number of aliens, 4");
  EXPECT_EQ(refusal_of<MiniInvaders>(MiniInvadersOptions{.height = -1}), "mini-invaders: height -1 must be at least 0");
}

TEST(InvadersOptions, ShapeTheGame) {
  MiniInvaders env({.aliens = 3, .width = 5, .height = 9});
  const auto start = env.reset(3);
  ASSERT_EQ(start.aliens.size(), 3U);
  EXPECT_EQ(start.aliens[2]->y, 9);
  EXPECT_EQ(env.facts().return_scale, 3);
  EXPECT_EQ(optimal_return(env, start, 1), 3);
  const MiniInvadersFormatter formatter(env);
  const std::string text = formatter.observation(start);
  EXPECT_EQ(formatter.parse_observation(text.substr(0, text.size() - 1)), start);
  EXPECT_FALSE(MiniInvadersFormatter{}.parse_observation(text.substr(0, text.size() - 1)));
}

TEST(PointMassOptions, AreChecked) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal_of<PointMass>(PointMassOptions{.goal_distance = -1}),
            "point-mass: goal distance -1 must be finite and at least 0");
  EXPECT_EQ(refusal_of<PointMass>(PointMassOptions{.start_distance = infinity}),
            "point-mass: start distance inf must be finite and at least 0");
  EXPECT_EQ(refusal_of<PointMass>(PointMassOptions{.start_limit = 2}),
            "point-mass: start limit 2 must be finite and more than the start distance 2 (by at least 1e-6)");
}

TEST(PointMassOptions, ShapeTheHint) {
  const PointMassFormatter formatter(PointMass({.goal_distance = 0.5}));
  EXPECT_EQ(formatter.observation({0.5, 0}),
            "assert pos == 0.50 and vel == 0.00 and -0.5 <= pos <= 0.5 and vel == 0\n");
}

TEST(MazeMap, ReadsADrawing) {
  const MazeMap map("\n+---+---+\n| G |   |\n+---+   +\n|       |\n+---+---+");
  EXPECT_EQ(map.rows(), 2);
  EXPECT_EQ(map.columns(), 2);
  EXPECT_EQ(map.goal(), (MazeCell{0, 0}));
  EXPECT_FALSE(map.open({0, 0}, {0, 1}));
  EXPECT_FALSE(map.open({0, 0}, {1, 0}));
  EXPECT_TRUE(map.open({1, 1}, {0, 1}));
  EXPECT_TRUE(map.open({1, 0}, {1, 1}));
  EXPECT_FALSE(map.open({1, 1}, {1, 2}));
}

TEST(MazeMap, SaysWhereADrawingIsWrong) {
  const auto refused = [](std::string map) { return refusal_of<Maze>(MazeOptions{.map = std::move(map)}); };
  EXPECT_EQ(refused(""), "maze: map has 1 lines but must have 2 x rows + 1, rows at least 1");
  EXPECT_EQ(refused("+---+\n| G |"), "maze: map has 2 lines but must have 2 x rows + 1, rows at least 1");
  EXPECT_EQ(refused("+--+\n|G |\n+--+"),
            "maze: line 1 of the map has 4 characters but must have 4 x columns + 1, columns at least 1");
  EXPECT_EQ(refused("+---+\n|   |\n+---+"), "maze: the map has 0 goals G but must have exactly one");
  EXPECT_EQ(refused("+---+---+\n| G   G |\n+---+---+"), "maze: the map has 2 goals G but must have exactly one");
  EXPECT_EQ(refused("+---+\n| G  \n+---+"), "maze: line 2, column 5 of the map is ' ' but must be the border '|'");
  EXPECT_EQ(refused("+---+\n| X |\n+---+"),
            "maze: line 2, column 2 of the map is ' X ' but must be a cell: three spaces or ' G '");
  EXPECT_EQ(refused("+---+\n| G |\n+   +"), "maze: line 3, column 2 of the map is '   ' but must be the border '---'");
  EXPECT_EQ(refused("+---+\n| G|\n+---+"), "maze: line 2 of the map has 4 characters but line 1 has 5");
}

TEST(States, ThatDoNotExistAreRefused) {
  EXPECT_EQ(refusal([] { Chain{}.set_state(8, 0); }), "chain: state 8 must be in 0..7");
  EXPECT_EQ(refusal([] {
              DistractorChain{}.set_state({0, -1}, 0);
            }),
            "distractor-chain: distractor -1 must be in 0..7");
  EXPECT_EQ(refusal([] {
              (void)Maze{}.outcomes({3, 0}, MazeAction::up);
            }),
            "maze: cell (3, 0) must be in (0, 0)..(2, 2)");
  EXPECT_EQ(refusal([] { MiniCatch{}.set_state({0, 0, 5}, 0); }), "mini-catch: ball height 5 must be in 0..4");
  EXPECT_EQ(refusal([] {
              MiniInvaders{}.set_state({0, {Alien{1, 1}}}, 0);
            }),
            "mini-invaders: an observation has 1 aliens but must have 2");
  EXPECT_EQ(refusal([] {
              MiniInvaders{}.set_state({0, {Alien{1, 6}, std::nullopt}}, 0);
            }),
            "mini-invaders: alien height 6 must be in -1..5");
  EXPECT_EQ(refusal([] {
              PointMass{}.set_state({std::numeric_limits<double>::infinity(), 0}, 0);
            }),
            "point-mass: position inf and velocity 0 must be finite");
  EXPECT_EQ(refusal([] { (void)Chain{}.outcomes(0, static_cast<ChainAction>(3)); }), "chain: action 3 must be in 0..2");
  EXPECT_EQ(refusal([] { Chain{}.step(ChainAction::left); }),
            "chain: step() without a running episode; call reset(seed) first");
}

TEST(SolverLimits, AreSaid) {
  EXPECT_EQ(refusal([] { (void)optimal_return(Chain({.time_limit = 0}), 2, 0.8); }),
            "solver: without a time limit no state may be reached twice in an episode");
  EXPECT_EQ(refusal([] { Solver(Chain{}, 0); }), "solver: discount 0 must be in (0, 1]");
  EXPECT_EQ(refusal([] { Solver(Chain{}, 0.8).optimal_action(0, 8); }), "solver: 8 steps taken must be in 0..7");
}

TEST(Solver, CountsTheStepsThatWereTaken) {
  Solver solver(Chain{}, 0.8);
  EXPECT_NEAR(solver.optimal_return(0, 3), 0.4096, 1e-12);
  EXPECT_EQ(solver.optimal_return(0, 4), 0) << "four steps left, five needed";
  const auto values = solver.action_values(3);
  ASSERT_EQ(values.size(), 3U);
  EXPECT_NEAR(values[0], 0.512, 1e-12);
  EXPECT_EQ(values[1], 0);
  EXPECT_NEAR(values[2], 0.8, 1e-12);
  EXPECT_EQ(optimal_action(Chain{}, 3, 0.8), ChainAction::right);
}

}  // namespace
}  // namespace icpi::test
