// SPDX-License-Identifier: MIT
#pragma once

#if ICPI_BROKEN == 1
inline void planted() {
  one();    // what is planted
  two();    // what is planted
  three();  // what is planted
}
#elif ICPI_BROKEN == 3
#error "another message"
#endif
