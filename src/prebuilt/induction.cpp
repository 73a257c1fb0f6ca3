// SPDX-License-Identifier: MIT
#define ICPI_INLINE
#include "icpi/models/induction/batches.hpp"
