// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"

/// The embedded model, and whether the agents kept their word about prefixes: those of equal identity extend each other.
/// Models may count on it.
class WatchedModel {
 public:
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    for (const auto& request : requests) {
      std::string& known = known_[request.prefix.identity];
      const std::string_view text = request.prefix.text;
      prefixes_extend = prefixes_extend && (text.starts_with(known) || known.starts_with(text));
      if (text.size() > known.size()) known = text;
    }
    model_.complete(requests, completions);
  }

  bool prefixes_extend = true;

 private:
  icpi::InductionModel model_;
  std::map<std::uint64_t, std::string> known_;
};

/// An agent behind an interface that program and plug-in share.
class Player {
 public:
  virtual ~Player() = default;
  /// Plays and learns from one episode.
  virtual void play() = 0;
  /// All decisions so far, and the values behind them.
  [[nodiscard]] virtual const std::vector<double>& history() const = 0;
};

/// What a plug-in offers.
struct Plugin {
  /// A player of the plug-in's own making.
  std::unique_ptr<Player> (*make_player)(WatchedModel& model, std::uint64_t seed);
  /// What the plug-in's icpi::new_prefix_identity() says next.
  std::uint64_t (*new_identity)();
  /// Throws icpi::InvalidArgument by a mistake.
  void (*make_mistake)();
  /// Whether what `mistake` throws is an icpi::InvalidArgument to the plug-in.
  bool (*catches)(void (*mistake)());
};

namespace {

/// Compiled into the program and into the plug-in.
class ChainPlayer : public Player {
 public:
  ChainPlayer(WatchedModel& model, std::uint64_t seed) : agent_(env_, model, options(seed)) {
    agent_.callbacks().on_decision = [this](const icpi::Decision& decision) {
      history_.push_back(static_cast<double>(decision.action));
      history_.insert(history_.end(), decision.values.begin(), decision.values.end());
    };
  }
  void play() override { agent_.train(env_, {.episodes = 1}); }
  [[nodiscard]] const std::vector<double>& history() const override { return history_; }

 private:
  static icpi::PolicyIterationOptions options(std::uint64_t seed) {
    icpi::PolicyIterationOptions options;
    options.seed = seed;
    options.prompts.context_tokens = 1200;
    return options;
  }

  icpi::Chain env_;
  icpi::PolicyIteration<icpi::Chain, WatchedModel> agent_;
  std::vector<double> history_;
};

std::unique_ptr<Player> make_player(WatchedModel& model, std::uint64_t seed) {
  return std::make_unique<ChainPlayer>(model, seed);
}

void make_mistake() { icpi::InductionModel({.threads = 0}); }

bool catches(void (*mistake)()) {
  try {
    mistake();
  } catch (const icpi::InvalidArgument&) {
    return true;
  } catch (...) {
  }
  return false;
}

}  // namespace
