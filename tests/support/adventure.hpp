// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/line_formatter.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

/// A text adventure of five rooms in a row with 60 commands, of which four or five can be carried out somewhere: take the key
/// in the first room, open the door in the last one, which is worth 1 and ends it. Episodes begin anywhere. What cannot be
/// done changes nothing, and is counted.
class Adventure {
 public:
  struct Observation {
    int room = 0;
    bool key = false;
    friend auto operator<=>(const Observation&, const Observation&) = default;
  };
  using Action = std::string;

  static constexpr int rooms = 5;
  static constexpr int most_steps = 40;

  [[nodiscard]] static const std::vector<std::string>& actions() {
    static const std::vector<std::string> all = [] {
      std::vector<std::string> commands{"go east", "go west", "take key", "open door", "wait"};
      for (int room = 0; room < rooms; ++room)
        for (const char* thing : {"lamp", "chair"})
          commands.push_back("look at " + std::string(thing) + " " + name(room));
      for (int song = 0; commands.size() < 60; ++song) commands.push_back("sing song " + std::to_string(song));
      return commands;
    }();
    return all;
  }
  [[nodiscard]] static double discount() { return 0.9; }
  [[nodiscard]] static std::string name(int room) { return std::string(1, static_cast<char>('A' + room)); }

  /// Throws for what is no state.
  [[nodiscard]] static std::vector<std::string> legal_at(const Observation& seen) {
    if (seen.room < 0 || seen.room >= rooms) throw std::out_of_range("no such room");
    std::vector<std::string> legal{"wait", "look at lamp " + name(seen.room), "look at chair " + name(seen.room)};
    if (seen.room + 1 < rooms) legal.emplace_back("go east");
    if (seen.room > 0) legal.emplace_back("go west");
    if (seen.room == 0 && !seen.key) legal.emplace_back("take key");
    if (seen.room == rooms - 1 && seen.key) legal.emplace_back("open door");
    return legal;
  }

  Observation reset(std::uint64_t seed) {
    steps_ = 0;
    RandomStream stream{RandomKey(seed)};
    return now_ = {static_cast<int>(stream.index(rooms)), false};
  }

  Step<Observation> step(const std::string& command) {
    const auto legal = legal_at(now_);
    const bool done = std::find(legal.begin(), legal.end(), command) != legal.end();
    if (!done) ++*illegal;
    if (done && command == "go east") ++now_.room;
    if (done && command == "go west") --now_.room;
    if (done && command == "take key") now_.key = true;
    const bool open = done && command == "open door";
    return {now_, open ? 1.0 : 0.0, open, !open && ++steps_ == most_steps};
  }

  std::shared_ptr<int> illegal =
      std::make_shared<int>(0);  ///< commands that could not be carried out, copies' included

 private:
  Observation now_;
  int steps_ = 0;
};

/// The same, which says what can be done.
class LegalAdventure : public Adventure {
 public:
  [[nodiscard]] std::vector<std::string> legal_actions(const Observation& seen) const { return legal_at(seen); }
};

static_assert(Environment<Adventure> && !HasLegalActions<Adventure> && HasLegalActions<LegalAdventure>);

/// Writes an adventure's texts; nothing reads observations back.
template <class Env>
class AdventureText : public LineFormatter<AdventureText<Env>, Env> {
 public:
  using LineFormatter<AdventureText<Env>, Env>::LineFormatter;

  [[nodiscard]] std::string observation(const Adventure::Observation& seen) const {
    return "You are in room " + Adventure::name(seen.room) + (seen.key ? " with the key\n" : " with nothing\n");
  }
  [[nodiscard]] std::string action(const std::string& command) const { return "> " + command + "\n"; }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return read(text).has_value(); }

  /// Rooms that do not exist are well-formed.
  [[nodiscard]] static std::optional<Adventure::Observation> read(std::string_view text) {
    constexpr std::string_view begin = "You are in room ";
    if (!text.starts_with(begin) || text.size() <= begin.size()) return std::nullopt;
    const int room = text[begin.size()] - 'A';
    const std::string_view rest = text.substr(begin.size() + 1);
    if (room < 0 || room > 25 || (rest != " with the key" && rest != " with nothing")) return std::nullopt;
    return Adventure::Observation{room, rest == " with the key"};
  }
};

/// The same, and reads observations back.
template <class Env>
class ParsingAdventureText : public AdventureText<Env> {
 public:
  using AdventureText<Env>::AdventureText;
  [[nodiscard]] std::optional<Adventure::Observation> parse_observation(std::string_view text) const {
    return this->read(text);
  }
};

/// The same; it knows from the text alone what can be done.
template <class Env>
class TellingAdventureText : public ParsingAdventureText<Env> {
 public:
  using ParsingAdventureText<Env>::ParsingAdventureText;
  [[nodiscard]] std::optional<std::vector<std::string>> legal_actions(std::string_view text) const {
    const auto seen = this->read(text);
    if (!seen || seen->room >= Adventure::rooms) return std::nullopt;
    return Adventure::legal_at(*seen);
  }
};

}  // namespace icpi::testing
