// SPDX-License-Identifier: MIT
// The former name of icpi/prompt/typed_prompt_context.hpp.
#pragma once

#include "icpi/prompt/typed_prompt_context.hpp"
