// SPDX-License-Identifier: MIT
// A program and a plug-in, an agent each, and one model for both.
#include <algorithm>
#include <cstdio>

#include "player.hpp"

namespace {

constexpr int episodes = 12;

using MakePlayer = std::unique_ptr<Player> (*)(WatchedModel&, std::uint64_t);

/// What a player does with a model of its own.
std::vector<double> alone(MakePlayer make, std::uint64_t seed) {
  WatchedModel model;
  const auto player = make(model, seed);
  for (int episode = 0; episode < episodes; ++episode) player->play();
  return player->history();
}

/// Whether both do the same as alone when they share a model, turn by turn.
bool share_a_model(const Plugin& plugin) {
  WatchedModel model;
  const auto ours = make_player(model, 1);
  const auto theirs = plugin.make_player(model, 2);
  for (int episode = 0; episode < episodes; ++episode) {
    ours->play();
    theirs->play();
  }
  return model.prefixes_extend && ours->history() == alone(&make_player, 1) &&
         theirs->history() == alone(plugin.make_player, 2) && ours->history() != theirs->history();
}

/// Whether no identity is given out on both sides.
bool have_own_identities(const Plugin& plugin) {
  std::vector<std::uint64_t> identities;
  for (int i = 0; i < 1000; ++i) {
    identities.push_back(icpi::new_prefix_identity());
    identities.push_back(plugin.new_identity());
  }
  std::sort(identities.begin(), identities.end());
  return identities.front() != 0 && std::adjacent_find(identities.begin(), identities.end()) == identities.end();
}

bool report(bool holds, const char* what) {
  std::printf("%s: %s\n", what, holds ? "yes" : "NO");
  return holds;
}

}  // namespace

/// Returns the program's exit status.
int check(Plugin (*the_plugin)()) {
  const Plugin plugin = the_plugin();
  bool all = report(have_own_identities(plugin), "prefix identities are of one process");
  all = report(share_a_model(plugin), "agents that share a model act as alone") && all;
  all = report(catches(plugin.make_mistake), "the program catches the plug-in's exception") && all;
  all = report(plugin.catches(&make_mistake), "the plug-in catches the program's exception") && all;
  return all ? 0 : 1;
}
