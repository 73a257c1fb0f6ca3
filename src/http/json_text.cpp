// SPDX-License-Identifier: MIT
#include "json_text.hpp"

#include <charconv>
#include <cstdint>
#include <cstring>

namespace icpi::http {

namespace {

/// Bytes of the sequence that `lead` begins; 0: none begins so.
constexpr std::size_t sequence_length(unsigned char lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

/// The second byte decides about overlong forms, surrogates and code points past U+10FFFF.
constexpr bool second_byte_fits(unsigned char lead, unsigned char second) noexcept {
  switch (lead) {
    case 0xE0: return second >= 0xA0 && second <= 0xBF;
    case 0xED: return second >= 0x80 && second <= 0x9F;
    case 0xF0: return second >= 0x90 && second <= 0xBF;
    case 0xF4: return second >= 0x80 && second <= 0x8F;
    default: return second >= 0x80 && second <= 0xBF;
  }
}

constexpr bool needs_escape(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

constexpr std::uint64_t repeated(std::uint64_t byte) noexcept { return byte * 0x0101010101010101U; }
constexpr std::uint64_t high_bits = repeated(0x80);

std::uint64_t load_eight(const char* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// A high bit is set where a byte of `word` is 0. A byte above a zero byte may be taken for one: good enough to skip.
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept { return (word - repeated(1)) & ~word & high_bits; }

/// Whether any of eight bytes may need an escape. Never false when one does.
constexpr bool may_need_escape(std::uint64_t word) noexcept {
  const std::uint64_t controls = (word - repeated(0x20)) & ~word & high_bits;
  return (controls | zero_bytes(word ^ repeated('"')) | zero_bytes(word ^ repeated('\\'))) != 0;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\t': out += "\\t"; return;
    case '\r': out += "\\r"; return;
    default: break;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += digits[byte >> 4U];
  out += digits[byte & 0xFU];
}

std::string with_valid_utf8(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string valid;
  for (auto bad = find_invalid_utf8(text); bad; bad = find_invalid_utf8(text)) {
    valid.append(text.substr(0, *bad)).append(replacement);
    text.remove_prefix(*bad + 1);
  }
  return valid.append(text);
}

/// The unit of UTF-16 that is escaped at `at`; 0: none is.
unsigned escaped_unit(std::string_view json, std::size_t at) {
  if (json.size() < at + 6 || json[at] != '\\' || json[at + 1] != 'u') return 0;
  const char* const digits = json.data() + at + 2;
  unsigned unit = 0;
  return std::from_chars(digits, digits + 4, unit, 16).ptr == digits + 4 ? unit : 0;
}

constexpr bool begins_pair(unsigned unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool ends_pair(unsigned unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8 && (load_eight(text.data() + at) & high_bits) == 0) {
      at += 8;
      continue;
    }
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = sequence_length(lead);
    if (length == 1) {
      ++at;
      continue;
    }
    if (length == 0 || text.size() - at < length) return at;
    if (!second_byte_fits(lead, static_cast<unsigned char>(text[at + 1]))) return at;
    for (std::size_t i = 2; i < length; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xC0U) != 0x80U) return at;
    }
    at += length;
  }
  return std::nullopt;
}

std::string mend_json(std::string_view json) {
  std::string mended = with_valid_utf8(json);
  for (std::size_t at = mended.find('\\'); at != std::string::npos; at = mended.find('\\', at)) {
    const unsigned unit = escaped_unit(mended, at);
    const bool pair = begins_pair(unit) && ends_pair(escaped_unit(mended, at + 6));
    if (!pair && (begins_pair(unit) || ends_pair(unit))) mended.replace(at + 2, 4, "fffd");
    at += pair ? 12 : 2;  // past what may be an escaped backslash
  }
  return mended;
}

void append_json_escaped(std::string& out, std::string_view text) {
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    while (text.size() - at >= 8 && !may_need_escape(load_eight(text.data() + at))) at += 8;
    if (at == text.size()) break;
    if (!needs_escape(text[at])) continue;
    out.append(text, copied, at - copied);
    append_escape(out, text[at]);
    copied = at + 1;
  }
  out.append(text, copied, text.size() - copied);
}

}  // namespace icpi::http
