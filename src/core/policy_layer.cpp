// SPDX-License-Identifier: MIT
// The agent: how decisions are made and what may be asked for.
#include "icpi/policy/agent_core-inl.hpp"
#include "icpi/policy/training-inl.hpp"
#include "icpi/policy/validation-inl.hpp"
