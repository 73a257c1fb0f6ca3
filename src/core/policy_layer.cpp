// SPDX-License-Identifier: MIT
// The agent: how decisions are made and what may be asked for.
#include "icpi/policy/action_selection-inl.hpp"
#include "icpi/policy/agent_core-inl.hpp"
#include "icpi/policy/exploration-inl.hpp"
#include "icpi/policy/optimism-inl.hpp"
#include "icpi/policy/options-inl.hpp"
#include "icpi/policy/training-inl.hpp"
#include "icpi/policy/validation-inl.hpp"
