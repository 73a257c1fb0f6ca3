// SPDX-License-Identifier: MIT
// A world that is nothing but what was lived through, and a model that copies: what the strategies are tried on.
#pragma once

#include <icpi/icpi.hpp>

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Numbered rooms with two doors. Agents are given experience; nobody plays.
struct Rooms {
  using Observation = int;
  using Action = int;

  static int reset(std::uint64_t) { return 0; }
  static icpi::Step<int> step(int) { return {0, 0, true, false}; }
  static const std::array<int, 2>& actions() {
    static const std::array<int, 2> doors{0, 1};
    return doors;
  }
  static double discount() { return 0.9; }
};

struct RoomsText : icpi::LineFormatter<RoomsText, Rooms> {
  using LineFormatter::LineFormatter;
  [[nodiscard]] static std::string observation(int room) { return "room == " + std::to_string(room) + "\n"; }
  [[nodiscard]] static std::string action(int door) { return door == 0 ? "left()\n" : "right()\n"; }
  [[nodiscard]] static bool accepts_observation(std::string_view text) { return text.starts_with("room == "); }
};

/// Copies an answer that was given to the very same question: the most frequent when greedy, else one by the seed. To a
/// new question it says what the last example says.
class Copier {
 public:
  [[nodiscard]] static std::string identity() { return "copier"; }

  static void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const std::string prompt = std::string(requests[i].prefix.text) + std::string(requests[i].query);
      completions[i] = {};
      completions[i].text = answer(prompt, requests[i].sampling.temperature == 0, requests[i].seed.value_or(0));
      completions[i].finish = icpi::FinishReason::stop;
    }
  }

 private:
  static std::string answer(const std::string& prompt, bool greedy, std::uint64_t seed) {
    const std::size_t border = prompt.rfind("\n\n");
    if (border == std::string::npos) return "";
    const std::string question = prompt.substr(border + 2);
    const auto line_from = [&](std::size_t at) { return prompt.substr(at, prompt.find('\n', at) - at); };
    std::vector<std::string> answers;
    for (std::size_t at = prompt.find(question); at < border; at = prompt.find(question, at + 1))
      answers.push_back(line_from(at + question.size()));
    if (answers.empty()) return line_from(prompt.rfind('\n', border - 1) + 1);
    if (!greedy) return answers[icpi::RandomStream(icpi::RandomKey(seed)).index(answers.size())];
    std::map<std::string, int> counts;
    const std::string* best = &answers.front();
    for (const std::string& each : answers)
      if (++counts[each] > counts[*best]) best = &each;
    return *best;
  }
};
static_assert(icpi::LanguageModel<Copier>);
