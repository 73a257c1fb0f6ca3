// SPDX-License-Identifier: MIT
#pragma once

#include "dialect.hpp"

namespace icpi::http {

// One for each Dialect, each in the source file of its name.
[[nodiscard]] const DialectStrategy& completions_dialect() noexcept;
[[nodiscard]] const DialectStrategy& chat_dialect() noexcept;
[[nodiscard]] const DialectStrategy& llama_native_dialect() noexcept;
[[nodiscard]] const DialectStrategy& anthropic_dialect() noexcept;
[[nodiscard]] const DialectStrategy& responses_dialect() noexcept;

}  // namespace icpi::http
