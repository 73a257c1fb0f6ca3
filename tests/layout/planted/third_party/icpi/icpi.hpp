// SPDX-License-Identifier: MIT
#pragma once

#include "icpi/core/needs_libraries.hpp"
