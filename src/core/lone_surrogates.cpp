// SPDX-License-Identifier: MIT
#include "lone_surrogates.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace icpi {

namespace {

constexpr std::size_t escape_size = 6;  // \u and four digits
constexpr std::uint32_t no_code = 0x110000;

/// The number in an escape of the form \uXXXX at the beginning of `text`; no_code: it begins with none.
std::uint32_t code_of(std::string_view text) noexcept {
  if (text.size() < escape_size || text[0] != '\\' || text[1] != 'u') return no_code;
  std::uint32_t code = 0;
  const char* const end = text.data() + escape_size;
  const auto [read, error] = std::from_chars(text.data() + 2, end, code, 16);
  return error == std::errc{} && read == end ? code : no_code;
}

/// The next bytes of a text that belong together, and what stands for them.
struct Piece {
  std::string_view read;
  std::string written;
};

Piece next_piece(std::string_view text) {
  const auto same = [&](std::size_t size) {
    const std::string_view read = text.substr(0, size);
    return Piece{read, std::string(read)};
  };
  if (text[0] != '\\') return same(text.find('\\'));
  const std::uint32_t code = code_of(text);
  if (code == no_code) return same(2);
  const bool is_first_half = code >= 0xD800 && code < 0xDC00;
  if (is_first_half && code_of(text.substr(escape_size)) < 0xE000 && code_of(text.substr(escape_size)) >= 0xDC00)
    return same(2 * escape_size);
  const std::string_view escape = text.substr(0, escape_size);
  if (code == 0) return {escape, "\\u0000\\u0000"};
  if (code >= 0xDC80 && code < 0xDD00) return {escape, "\\u0000\\u00" + std::string(escape.substr(4))};
  return same(escape_size);
}

}  // namespace

bool may_have_lone_surrogates(std::string_view text) noexcept {
  for (std::size_t at = text.find("\\u"); at != std::string_view::npos; at = text.find("\\u", at + 2)) {
    const std::uint32_t code = code_of(text.substr(at));
    if (code >= 0xDC80 && code < 0xDD00) return true;
  }
  return false;
}

std::string escape_lone_surrogates(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const Piece piece = next_piece(text);
    escaped += piece.written;
    text.remove_prefix(piece.read.size());
  }
  return escaped;
}

std::size_t offset_before_escaping(std::string_view text, std::size_t offset) {
  std::size_t before = 0;
  while (before < text.size()) {
    const Piece piece = next_piece(text.substr(before));
    if (offset < piece.written.size()) return before + std::min(offset, piece.read.size() - 1);
    offset -= piece.written.size();
    before += piece.read.size();
  }
  return before + offset;
}

std::string unescape_lone_surrogates(std::string_view text) {
  std::string meant;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\0'), text.size());
    meant += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (text[1] == '\0') {
      meant += '\0';
      text.remove_prefix(2);
    } else {  // two bytes of UTF-8: U+0080 .. U+00FF
      const auto high = static_cast<unsigned char>(text[1]);
      const auto low = static_cast<unsigned char>(text[2]);
      meant += static_cast<char>((high & 0x03U) << 6U | (low & 0x3FU));
      text.remove_prefix(3);
    }
  }
  return meant;
}

}  // namespace icpi
