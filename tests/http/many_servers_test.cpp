// SPDX-License-Identifier: MIT
// Many servers behind the real scheduler, on a clock that is made up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulated_episodes.hpp"

namespace {

using icpi_test::SimulatedEpisodes;
using icpi_test::SimulatedServer;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using State = SimulatedServer::State;

TEST(ManyServers, SixtyFourAreKeptBusy) {
  SimulatedEpisodes run(std::vector<SimulatedServer>(64), 20e-6, 64);
  run.begin(300, 12);
  run.play(2);
  EXPECT_GE(run.busy(6), 0.9);
  EXPECT_EQ(run.failed(), 0U);
}

TEST(ManyServers, OneThatBreaksIsLeftOutAndTriedAgain) {
  SimulatedEpisodes run(std::vector<SimulatedServer>(4, {.seconds = 2}), 0, 4);
  run.begin(40, 4);
  run.play(5);
  SimulatedServer& sick = run.wire().servers()[2];
  for (const State state : {State::broken, State::away}) {
    sick.state = state;
    const std::size_t before = sick.received;
    run.play(120);
    EXPECT_GE(sick.received - before, 4U);   // somebody looks whether it is back
    EXPECT_LE(sick.received - before, 60U);  // what was on its way, and a look every 15 to 30 s
    sick.state = State::sound;
    run.play(60);
    const std::size_t back = sick.received;
    const std::size_t other = run.wire().servers()[0].received;
    run.play(20);
    EXPECT_GT(sick.received - back, (run.wire().servers()[0].received - other) / 2);
  }
  EXPECT_EQ(run.failed(), 0U);
  for (const char* problem : {"it broke", "nobody is there"})
    EXPECT_THAT(run.told(), Contains(AllOf(HasSubstr("server-2:80/v1: "), HasSubstr(problem),
                                           HasSubstr("; its requests go to the other servers"))));
  EXPECT_THAT(run.told(), Contains(HasSubstr("server-2:80/v1 is back after")));
}

TEST(ManyServers, TheLastOneIsAskedHoweverOftenItFails) {
  SimulatedEpisodes run(std::vector<SimulatedServer>(1), 0, 1, [](auto& options) { options.retries.attempts = 1000; });
  run.begin(4, 1);
  run.wire().servers()[0].state = State::broken;
  run.play(100);
  run.wire().servers()[0].state = State::sound;
  run.play(60);
  EXPECT_EQ(run.failed(), 0U);
  EXPECT_GT(run.answered(), 4U);
}

TEST(ManyServers, MayJoinAndLeave) {
  SimulatedEpisodes run(std::vector<SimulatedServer>(4), 0, 2);
  auto& servers = run.wire().servers();
  run.begin(40, 4);
  run.play(10);
  EXPECT_EQ(run.scheduler().endpoints(), 2U);
  EXPECT_EQ(servers[2].received + servers[3].received, 0U);

  run.scheduler().set_endpoints(run.endpoints(4));
  run.play(20);
  EXPECT_GT(servers[2].received, servers[0].received / 3);
  EXPECT_GT(servers[3].received, servers[0].received / 3);

  run.scheduler().set_endpoints(run.endpoints(4, 2));
  run.play(2);  // what was under way
  EXPECT_EQ(servers[0].working + servers[1].working, 0U);
  const std::size_t before = servers[0].received + servers[1].received;
  run.play(20);
  EXPECT_EQ(servers[0].received + servers[1].received, before);

  run.scheduler().set_endpoints(run.endpoints(1));
  run.play(20);
  EXPECT_GT(servers[0].received + servers[1].received, before);
  EXPECT_EQ(run.scheduler().endpoints(), 1U);
  EXPECT_EQ(run.failed(), 0U);
  EXPECT_THAT(run.told(), Contains(HasSubstr("server-3:80/v1 takes requests too")));
  EXPECT_THAT(run.told(), Contains(HasSubstr("server-0:80/v1 is not listed any more")));
  EXPECT_THAT(run.told(), Contains(HasSubstr("server-0:80/v1 is listed again")));
}

TEST(ManyServers, WhatWaitsForAPrefixLeavesWithItsServer) {
  // Long answers: the first question of a prefix is on its way, the others wait for it there.
  SimulatedEpisodes run({{.seconds = 40}, {.seconds = 0.1}}, 0, 1);
  icpi::CompletionRequest request;
  request.prefix = {1, "examples\n"};
  run.begin(1, 0);
  for (icpi::http::JobId id = 1; id <= 5; ++id) run.scheduler().add(id, request);
  run.play(1);
  EXPECT_EQ(run.wire().servers()[0].received, 1U);
  run.scheduler().set_endpoints(run.endpoints(2, 1));
  run.play(5);
  EXPECT_EQ(run.answered(), 4U);
  run.play(60);
  EXPECT_EQ(run.answered(), 5U);
}

TEST(ManyServers, LoadIsOfTokens) {
  SimulatedEpisodes run(std::vector<SimulatedServer>(2, {.places = 32, .seconds = 1}), 0, 2);
  run.begin(1, 0);
  const std::string text(3000, 'x');
  icpi::CompletionRequest request;
  // By number, one server would get all the long ones.
  for (icpi::http::JobId id = 1; id <= 16; ++id) {
    request.query = std::string_view(text).substr(0, id % 2 == 1 ? 3000 : 30);
    run.scheduler().add(id, request);
  }
  const double first = static_cast<double>(run.wire().servers()[0].bytes_received);
  const double second = static_cast<double>(run.wire().servers()[1].bytes_received);
  EXPECT_GT(first, 0.7 * second);
  EXPECT_GT(second, 0.7 * first);
}

}  // namespace
