// SPDX-License-Identifier: MIT
// Imagined trajectories, the engine that advances them together, and the planner.
#include "icpi/rollout/engine-inl.hpp"
#include "icpi/rollout/planner-inl.hpp"
#include "icpi/rollout/return_table-inl.hpp"
#include "icpi/rollout/rollout-inl.hpp"
