// SPDX-License-Identifier: MIT
// What include/icpi/replay defines out of line.
#include "icpi/replay/reward_classes-inl.hpp"
#include "icpi/replay/trajectory_index-inl.hpp"
