// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How icpi's functions reach a program. A header declares; what it declares is defined in the header of the same name
/// that ends in `-inl.hpp`. The library icpi::icpi compiles those once. With ICPI_HEADER_ONLY (icpi::header_only) every
/// unit that includes a header compiles them itself.

/// Marks what users may reach: the library hides all else. Exceptions carry it too, so that they are caught by type
/// across libraries, and state that a process must have once.
#if defined(__GNUC__)
#define ICPI_API __attribute__((visibility("default")))
#else
#define ICPI_API
#endif

/// Before every function that a `-inl.hpp` header defines.
#if defined(ICPI_HEADER_ONLY)
#define ICPI_INLINE inline
#else
#define ICPI_INLINE
#endif
