// SPDX-License-Identifier: MIT
// How busy many servers are kept by one process: the real scheduler before made-up servers, on a made-up clock.
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "http/simulated_episodes.hpp"

namespace {

using icpi_test::SimulatedEpisodes;
using icpi_test::SimulatedServer;

constexpr std::size_t episodes = 10'000;
constexpr std::size_t questions = 12;     // that an episode puts at once: those of a planned decision's round
constexpr double client_seconds = 19e-6;  // of processor time an answer, as http_throughput measures it
constexpr double warm_up = 10;            // seconds on the made-up clock
constexpr double measured = 10;

struct Kind {
  const char* name;
  SimulatedServer server;
};

/// One row: what was the bottleneck is whatever was busy.
void measure(const Kind& kind, std::size_t servers) {
  SimulatedEpisodes run(std::vector<SimulatedServer>(servers, kind.server), client_seconds, servers);
  run.begin(episodes, questions);
  run.play(warm_up);
  const std::size_t answered = run.answered();
  const auto client = run.wire().client_worked();
  const std::clock_t began = std::clock();
  const double busy = run.busy(measured);
  const double processor_seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  const auto answers = static_cast<double>(run.answered() - answered);
  const double client_busy = icpi::http::in_seconds(run.wire().client_worked() - client) / measured;
  fmt::print("| {} | {} | {:.0f} | {:.0f} % | {:.0f} % | {:.0f} |\n", kind.name, servers, answers / measured,
             100 * busy, 100 * client_busy, 1e6 * processor_seconds / answers);
}

}  // namespace

int main() {
  fmt::print("| server | servers | answers/s | servers busy | client busy with answers | scheduler, us an answer |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const Kind& kind : {Kind{"8 places, 0.4 s", {.places = 8, .seconds = 0.4}},
                           Kind{"32 places, 0.1 s", {.places = 32, .seconds = 0.1}}})
    for (const std::size_t servers : {1U, 8U, 64U, 1000U}) measure(kind, servers);
}
