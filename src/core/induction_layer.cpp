// SPDX-License-Identifier: MIT
// The embedded model: a unit of its own, which ablations replace by one with a part left out.
#include "icpi/models/induction-inl.hpp"
