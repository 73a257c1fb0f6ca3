// SPDX-License-Identifier: MIT
// What include/icpi/models defines out of line, but for the embedded model and what reads JSON.
#include "icpi/models/any_language_model-inl.hpp"
#include "icpi/models/budget-inl.hpp"
#include "icpi/models/budget_account-inl.hpp"
#include "icpi/models/finished_queue-inl.hpp"
#include "icpi/models/scripted-inl.hpp"
#include "icpi/models/stop_on_failure-inl.hpp"
