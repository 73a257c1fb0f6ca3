// SPDX-License-Identifier: MIT
// Imagined trajectories, the engine that advances them together, the planner, and value estimators.
#include "icpi/rollout/engine-inl.hpp"
#include "icpi/rollout/hope-inl.hpp"
#include "icpi/rollout/mean_of_rollouts-inl.hpp"
#include "icpi/rollout/planner-inl.hpp"
#include "icpi/rollout/planning-inl.hpp"
#include "icpi/rollout/policy_alone-inl.hpp"
#include "icpi/rollout/return_table-inl.hpp"
#include "icpi/rollout/rollout-inl.hpp"
