// SPDX-License-Identifier: MIT
#include "player.hpp"

extern "C" __attribute__((visibility("default"))) Plugin the_plugin() {
  return {&make_player, &icpi::new_prefix_identity, &make_mistake, &catches};
}
