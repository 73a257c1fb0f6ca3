// SPDX-License-Identifier: MIT
#pragma once

#include "icpi/core/base-inl.hpp"
#include "icpi/core/base.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/policy/policy.hpp"
