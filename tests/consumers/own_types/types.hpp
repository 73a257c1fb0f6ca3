// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/icpi.hpp"

// Everything that a project may bring, and none of it in the library: environment, texts, replay buffer, language model.

/// A ladder of six rungs; the top pays 1, and the water below the lowest ends the climb too.
class Ladder {
 public:
  struct Rung {
    int height = 0;
    friend bool operator==(const Rung&, const Rung&) = default;
  };
  enum class Move { down, up, rest };
  using Observation = Rung;
  using Action = Move;

  static constexpr std::array moves{Move::down, Move::up, Move::rest};
  static constexpr int top = 5;

  static const auto& actions() { return moves; }
  static double discount() { return 0.9; }
  Rung reset(std::uint64_t seed) {
    height_ = 1 + static_cast<int>(seed % 3);
    steps_ = 0;
    return {height_};
  }
  icpi::Step<Rung> step(Move move) {
    height_ += move == Move::up ? 1 : move == Move::down ? -1 : 0;
    const bool ended = height_ == top || height_ < 0;
    return {{height_}, height_ == top ? 1.0 : 0.0, ended, !ended && ++steps_ == 12};
  }

 private:
  int height_ = 0;
  int steps_ = 0;
};
static_assert(icpi::Environment<Ladder>);

/// Its texts, with nothing from icpi::LineFormatter.
struct LadderText {
  [[nodiscard]] static std::string observation(Ladder::Rung rung) {
    return "on rung " + std::to_string(rung.height) + ".\n";
  }
  [[nodiscard]] static std::string action(Ladder::Move move) {
    return std::string(words[static_cast<std::size_t>(move)]) + "!\n";
  }
  [[nodiscard]] static std::string reward(double value) {
    std::array<char, 32> digits{};
    return "coins: " + std::string(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr) + "\n";
  }
  [[nodiscard]] static std::string termination(bool ended) { return ended ? "over\n" : "on and on\n"; }
  [[nodiscard]] static std::string episode_start() { return "\nA climb:\n"; }
  [[nodiscard]] static std::string trajectory_step(const icpi::TransitionOf<Ladder>& t) {
    return observation(t.observation) + action(t.action) + reward(t.reward);
  }
  [[nodiscard]] static std::string_view stop(icpi::QueryKind) { return "\n"; }

  [[nodiscard]] static std::optional<Ladder::Move> parse_action(std::string_view text) {
    for (const auto move : Ladder::moves)
      if (action(move) == std::string(text) + "\n") return move;
    return std::nullopt;
  }
  [[nodiscard]] static std::optional<double> parse_reward(std::string_view text) {
    if (!text.starts_with("coins: ")) return std::nullopt;
    double value = 0;
    const auto read = std::from_chars(text.data() + 7, text.data() + text.size(), value);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(value) : std::nullopt;
  }
  [[nodiscard]] static std::optional<bool> parse_termination(std::string_view text) {
    if (text == "over") return true;
    return text == "on and on" ? std::optional(false) : std::nullopt;
  }
  [[nodiscard]] static bool accepts_observation(std::string_view text) {
    return text.starts_with("on rung ") && text.ends_with('.');
  }

  static constexpr std::array<std::string_view, 3> words{"down", "up", "rest"};
};
static_assert(icpi::PromptFormatter<LadderText, Ladder>);

/// A diary of climbs.
class Diary {
 public:
  using Entry = icpi::TransitionOf<Ladder>;

  explicit Diary(const Ladder&) {}

  void append(std::span<const Entry> climb) {
    for (const auto& entry : climb) extend(entry);
    close();
  }
  void extend(const Entry& entry) {
    const auto id = static_cast<icpi::TransitionId>(entries_.size());
    entries_.push_back(entry);
    auto& page = pages_[page_of(action_index(id), entry.terminated)];
    page.ids.push_back(id);
    for (auto& known : page.rewards)
      if (known.reward == entry.reward) return known.members.push_back(id);
    page.rewards.push_back({entry.reward, {id}});
  }
  void close() {
    const auto first = climbs_.empty() ? 0 : climbs_.back().last;
    const auto last = static_cast<icpi::TransitionId>(entries_.size());
    if (first < last) climbs_.push_back({first, last});
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  const Entry& operator[](icpi::TransitionId id) const { return entries_[id]; }
  [[nodiscard]] std::size_t action_index(icpi::TransitionId id) const {
    return static_cast<std::size_t>(entries_[id].action);
  }
  [[nodiscard]] std::size_t trajectory_count() const { return climbs_.size(); }
  [[nodiscard]] icpi::TransitionRange trajectory(std::size_t number) const { return climbs_[number]; }
  [[nodiscard]] icpi::TransitionIds matching(std::size_t action, bool terminated) const {
    return pages_[page_of(action, terminated)].ids;
  }
  [[nodiscard]] std::span<const icpi::RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return pages_[page_of(action, terminated)].rewards;
  }

 private:
  struct Page {
    std::vector<icpi::TransitionId> ids;
    std::vector<icpi::RewardClass> rewards;
  };
  static std::size_t page_of(std::size_t action, bool terminated) { return 2 * action + (terminated ? 1 : 0); }

  std::deque<Entry> entries_;
  std::vector<icpi::TransitionRange> climbs_;
  std::array<Page, 2 * Ladder::moves.size()> pages_;
};
static_assert(icpi::ReplayBuffer<Diary, Ladder>);

/// Says what followed the query's text when it last stood in the prompt, else what the prompt ends with.
class Echo {
 public:
  [[nodiscard]] static std::string identity() { return "echo"; }
  void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto prompt = requests[i].prefix.text;
      auto query = requests[i].query;
      if (query.starts_with("\nA climb:\n")) query.remove_prefix(10);  // an action: after this rung, in any climb
      const auto known = prompt.rfind(query);
      const auto begin = known != prompt.npos ? known + query.size() : last_line(prompt);
      completions[i] = {};
      completions[i].text = prompt.substr(begin, prompt.find('\n', begin) - begin);
      completions[i].finish = icpi::FinishReason::stop;
      ++answered;
    }
  }

  std::size_t answered = 0;

 private:
  static std::size_t last_line(std::string_view text) {
    return text.empty() ? 0 : text.rfind('\n', text.find_last_not_of('\n')) + 1;
  }
};
static_assert(icpi::LanguageModel<Echo>);
