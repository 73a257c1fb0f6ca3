// SPDX-License-Identifier: MIT
#pragma once

#include "icpi/prompt/prompt_source.hpp"

namespace icpi {

ICPI_INLINE PromptSource::~PromptSource() = default;

}  // namespace icpi
