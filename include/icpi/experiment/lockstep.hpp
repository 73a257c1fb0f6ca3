// SPDX-License-Identifier: MIT
// The former name of icpi/experiment/vector_runner.hpp.
#pragma once

#include "icpi/experiment/vector_runner.hpp"
