// SPDX-License-Identifier: MIT
#include "icpi/domains/chain.hpp"
#include "icpi/policy/policy_iteration.hpp"
#if ICPI_BROKEN != 1
#include "icpi/domains/chain_formatter.hpp"
#endif

// case 1: this environment has no default formatter
static_assert(icpi::PromptFormatter<icpi::default_formatter_t<icpi::Chain>, icpi::Chain>);
