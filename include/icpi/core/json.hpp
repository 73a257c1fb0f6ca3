// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

#if defined(ICPI_HEADER_ONLY)

// JSON is read by a library, which only the compiled library is built with.

class Json {
 public:
  static Json parse(std::string_view text) = delete;  // reading JSON needs the library icpi::icpi
};

#else

/// A JSON value as it was read (RFC 8259): enough for records that icpi wrote itself and for small files of facts.
///
/// Strings are bytes. What is not UTF-8 is written as the lone surrogates U+DC80 .. U+DCFF, one a byte, and read back
/// from there: every byte string survives, and every text that is written is valid JSON.
/// Thread-safety: const members may be called concurrently.
class ICPI_API Json {
 public:
  /// What kind of value it is.
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  /// Reads exactly one value. Throws InvalidArgument naming the offset of the byte at which reading ended. Takes any
  /// bytes; text that is not UTF-8, numbers beyond the doubles and values nested deeper than 64 are refused.
  static Json parse(std::string_view text);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }                                           ///< what it is
  [[nodiscard]] bool boolean() const { return require(Kind::boolean, "a boolean").boolean_; }          ///< or throws
  [[nodiscard]] const std::string& string() const { return require(Kind::string, "a string").text_; }  ///< or throws
  [[nodiscard]] const std::vector<Json>& array() const {
    return require(Kind::array, "an array").items_;
  }  ///< or throws
  /// Names and values in the order of the text. Throws InvalidArgument if it is no object.
  [[nodiscard]] const std::vector<std::string>& names() const { return require(Kind::object, "an object").names_; }

  /// A number. Throws InvalidArgument if it is none.
  [[nodiscard]] double number() const;

  /// A whole number that `Integer` can hold, exactly. Throws InvalidArgument otherwise.
  template <std::integral Integer>
  [[nodiscard]] Integer integer() const {
    using Limits = std::numeric_limits<Integer>;
    if constexpr (std::signed_integral<Integer>)
      return static_cast<Integer>(whole(static_cast<long long>(Limits::min()), static_cast<long long>(Limits::max())));
    else
      return static_cast<Integer>(whole(static_cast<unsigned long long>(Limits::max())));
  }

  /// The member of this name, the first of several; nullptr if there is none. Throws InvalidArgument if it is no object.
  [[nodiscard]] const Json* find(std::string_view name) const;

  /// The member of this name. Throws InvalidArgument if there is none.
  [[nodiscard]] const Json& operator[](std::string_view name) const;

 private:
  friend class JsonBuilder;

  [[nodiscard]] const Json& require(Kind wanted, std::string_view what) const;
  [[nodiscard]] long long whole(long long least, long long most) const;
  [[nodiscard]] unsigned long long whole(unsigned long long most) const;

  Kind kind_ = Kind::null;
  bool boolean_ = false;
  std::string text_;  ///< a string, or a number's digits
  std::vector<std::string> names_;
  std::vector<Json> items_;
};

#endif

}  // namespace icpi
