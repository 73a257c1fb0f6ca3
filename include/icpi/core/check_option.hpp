// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

namespace detail {

/// Throws what check_option() throws.
[[noreturn]] ICPI_API void refuse_option(std::string_view name, double value, std::string_view allowed);
[[noreturn]] ICPI_API void refuse_option(std::string_view name, long long value, std::string_view allowed);
[[noreturn]] ICPI_API void refuse_option(std::string_view name, unsigned long long value, std::string_view allowed);
[[noreturn]] ICPI_API void refuse_option(std::string_view name, std::string_view value, std::string_view allowed);

}  // namespace detail

/// Throws InvalidArgument "`name` is `value`; allowed: `allowed`" unless `holds`. `value`: a boolean, a whole number, a
/// double or a text.
template <class Value>
void check_option(bool holds, std::string_view name, const Value& value, std::string_view allowed) {
  if (holds) return;
  if constexpr (std::same_as<Value, bool>)
    detail::refuse_option(name, std::string_view(value ? "true" : "false"), allowed);
  else if constexpr (std::signed_integral<Value>)
    detail::refuse_option(name, static_cast<long long>(value), allowed);
  else if constexpr (std::unsigned_integral<Value>)
    detail::refuse_option(name, static_cast<unsigned long long>(value), allowed);
  else if constexpr (std::same_as<Value, double>)
    detail::refuse_option(name, value, allowed);
  else
    detail::refuse_option(name, std::string_view(value), allowed);
}

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/check_option-inl.hpp"
#endif
