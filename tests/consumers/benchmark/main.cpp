// SPDX-License-Identifier: MIT
// Benchmarks of a project's own environment, texts and language model.
#include <array>
#include <cstdint>
#include <string>

#include "icpi/benchmark/register_rollouts.hpp"
#include "icpi/concepts/line_formatter.hpp"
#include "icpi/models/induction.hpp"

/// Four rooms in a row; the last one pays.
struct Corridor {
  using Observation = int;
  enum class Action { back, on };

  static constexpr std::array all{Action::back, Action::on};
  static const auto& actions() { return all; }
  static double discount() { return 0.9; }
  Observation reset(std::uint64_t seed) { return room = static_cast<int>(seed % 3); }
  icpi::Step<Observation> step(Action action) {
    room += action == Action::on ? 1 : room > 0 ? -1 : 0;
    return {room, room == 3 ? 1.0 : 0.0, room == 3, false};
  }

  int room = 0;
};

struct CorridorFormatter : icpi::LineFormatter<CorridorFormatter, Corridor> {
  using LineFormatter::LineFormatter;
  static std::string observation(int room) { return "room " + std::to_string(room) + "\n"; }
  static std::string action(Corridor::Action action) { return action == Corridor::Action::on ? "on()\n" : "back()\n"; }
  static bool accepts_observation(std::string_view text) { return text.starts_with("room ") && text.size() == 6; }
};

template <>
struct icpi::DefaultFormatter<Corridor> {
  using type = CorridorFormatter;
};

/// A model of one's own: it says what the example before said.
struct Parrot {
  static std::string identity() { return "parrot"; }
  void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto prompt = requests[i].prefix.text;
      prompt = prompt.substr(0, prompt.find_last_not_of('\n') + 1);
      const bool asks_action = requests[i].query.starts_with('\n');
      completions[i] = {};
      completions[i].text = asks_action ? "on()" : prompt.substr(prompt.rfind('\n') + 1);
      completions[i].finish = icpi::FinishReason::stop;
    }
  }
};

int main(int argc, char** argv) {
  icpi::benchmark::RolloutBenchmarkOptions options;
  options.agent = icpi::paper_options();
  options.agent.decisions.values = icpi::MeanOfRollouts{{.rollouts_per_action = 4}};
  icpi::benchmark::register_rollouts<Corridor, Parrot>(
      "corridor/parrot", Corridor{}, [] { return Parrot{}; }, options);
  options.agent.prompts.examples = icpi::AppendOnlyExamples{};
  icpi::benchmark::register_rollouts<Corridor, icpi::InductionModel>(
      "corridor/induction", Corridor{}, [] { return icpi::InductionModel(); }, options);
  benchmark::Initialize(&argc, argv);
  return benchmark::RunSpecifiedBenchmarks() == 2 ? 0 : 1;
}
