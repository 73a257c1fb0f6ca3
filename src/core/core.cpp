// SPDX-License-Identifier: MIT
// What include/icpi/core defines out of line.
#include "icpi/core/prompt_text-inl.hpp"
