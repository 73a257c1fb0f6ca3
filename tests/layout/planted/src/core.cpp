// SPDX-License-Identifier: MIT
#include "icpi/core/base.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/policy/policy.hpp"
