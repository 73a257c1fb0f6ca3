// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>

#include "icpi/http/service.hpp"

namespace icpi::http {

/// How GoogleTest shows a service: by its name.
inline void PrintTo(const Service& service, std::ostream* out) { *out << service.name; }

}  // namespace icpi::http
