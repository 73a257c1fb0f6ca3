// SPDX-License-Identifier: MIT
#pragma once

namespace icpi {

using Numbers = std::vector<double>;

}  // namespace icpi
