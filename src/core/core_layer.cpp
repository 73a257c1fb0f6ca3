// SPDX-License-Identifier: MIT
// What include/icpi/core defines out of line.
#include "icpi/core/check_option-inl.hpp"
#include "icpi/core/checked_line-inl.hpp"
#include "icpi/core/fill_text-inl.hpp"
#include "icpi/core/json_line-inl.hpp"
#include "icpi/core/prompt_text-inl.hpp"
#include "icpi/core/thread_team-inl.hpp"
#include "icpi/core/until-inl.hpp"
#include "icpi/core/utf8-inl.hpp"
