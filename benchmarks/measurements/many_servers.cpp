// SPDX-License-Identifier: MIT
// measure_many_servers [SERVERS [EPISODES [SECONDS]]]: how busy servers are kept by one process, and what keeps them from
// being busier: the real scheduler before made-up servers, on a made-up clock of which SECONDS (10) are measured after as
// many of warming up. Without SERVERS: 1, 8, 64 and 1,000 of them; 10,000 EPISODES.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "http/simulated_episodes.hpp"

namespace {

using icpi_test::SimulatedEpisodes;
using icpi_test::SimulatedServer;

constexpr std::size_t questions = 12;     // that an episode puts at once: those of a planned decision's round
constexpr double client_seconds = 19e-6;  // of processor time an answer, as http_throughput measures it with one server
constexpr double enough = 0.9;            // of the time: whoever works so much is what limits

struct Kind {
  const char* name;
  SimulatedServer server;
};

struct Load {
  std::size_t episodes;
  double seconds;
};

struct Outcome {
  double rate = 0;            ///< answers a second
  double servers = 0;         ///< how busy they are
  double client = 0;          ///< how busy the client is
  double processor_time = 0;  ///< seconds an answer that all of this really took, the made-up servers included

  [[nodiscard]] const char* limited_by() const {
    if (servers >= enough) return "servers";
    return client >= enough ? "client" : "neither";
  }
};

Outcome play(const Kind& kind, std::size_t servers, const Load& load, double seconds_an_answer) {
  SimulatedEpisodes run(std::vector<SimulatedServer>(servers, kind.server), seconds_an_answer, servers);
  run.begin(load.episodes, questions);
  run.play(load.seconds);
  const std::size_t answered = run.answered();
  const auto worked = run.wire().client_worked();
  const auto since = run.wire().now();
  const std::clock_t began = std::clock();
  Outcome outcome;
  const double busy = run.busy(load.seconds);
  const double processor_seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  const auto answers = static_cast<double>(run.answered() - answered);
  const double passed = icpi::http::in_seconds(run.wire().now() - since);  // a client that is behind ends later
  outcome.servers = busy * load.seconds / passed;
  outcome.rate = answers / passed;
  outcome.client = icpi::http::in_seconds(run.wire().client_worked() - worked) / passed;
  outcome.processor_time = processor_seconds / answers;
  return outcome;
}

/// One row. The client's time is that with one server, and what choosing among so many took more, played a second time.
void measure(const Kind& kind, std::size_t servers, const Load& load, double with_one) {
  const double more = std::max(0.0, play(kind, servers, load, client_seconds).processor_time - with_one);
  const Outcome outcome = play(kind, servers, load, client_seconds + more);
  fmt::print("| {} | {} | {:.0f} | {:.1f} % | {:.0f} % | {:.1f} | {} |\n", kind.name, servers, outcome.rate,
             100 * outcome.servers, 100 * outcome.client, 1e6 * (client_seconds + more), outcome.limited_by());
}

}  // namespace

int main(int count, char** words) {
  const auto number = [&](int place, double otherwise) {
    return count > place ? std::max(1.0, std::atof(words[place])) : otherwise;
  };
  const Load load{static_cast<std::size_t>(number(2, 10'000)), number(3, 10)};
  std::vector<std::size_t> counts{1, 8, 64, 1000};
  if (count > 1) counts = {static_cast<std::size_t>(number(1, 1))};
  fmt::print("| server | servers | answers/s | servers busy | client busy | client, us an answer | limited by |\n");
  fmt::print("|---|---|---|---|---|---|---|\n");
  for (const Kind& kind : {Kind{"8 places, 0.4 s", {.places = 8, .seconds = 0.4}},
                           Kind{"32 places, 0.1 s", {.places = 32, .seconds = 0.1}}}) {
    const Load longer{load.episodes, 10 * load.seconds};  // one server answers little
    const double with_one = play(kind, 1, longer, client_seconds).processor_time;
    for (const std::size_t servers : counts) measure(kind, servers, load, with_one);
  }
}
