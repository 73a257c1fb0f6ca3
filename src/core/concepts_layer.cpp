// SPDX-License-Identifier: MIT
// What include/icpi/concepts defines out of line.
#include "icpi/concepts/field_text-inl.hpp"
#include "icpi/concepts/legal_actions-inl.hpp"
#include "icpi/concepts/text_scanner-inl.hpp"
