// SPDX-License-Identifier: MIT
// What the check of the messages must see.
// case 1: what is planted
// case 2: what is planted
// case 3: what is planted
#include "icpi/planted.hpp"
