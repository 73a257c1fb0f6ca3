// SPDX-License-Identifier: MIT
// What may be shown of a server's words: no control characters, no secrets.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json_text.hpp"
#include "server_words.hpp"

namespace icpi::http {

namespace {

constexpr std::size_t longest_shown = 300;
constexpr std::size_t shortest_secret = 8;

/// Bytes of the control or direction character that `text` begins with; 0: it begins with another one.
std::size_t control_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (text.size() >= 2 && byte(0) == 0xC2 && byte(1) < 0xA0) return 2;  // U+0080 to U+009F
  if (text.size() < 3 || byte(0) != 0xE2) return 0;
  const bool directions =
      byte(1) == 0x80 && ((byte(2) >= 0x8E && byte(2) <= 0x8F) || (byte(2) >= 0xA8 && byte(2) <= 0xAE));
  const bool isolates = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return directions || isolates ? 3 : 0;
}

/// Keys of the common form are taken out although they are not ours: some servers repeat another one's.
std::string without_keys(std::string text) {
  constexpr std::size_t shortest_key = 16;
  const auto in_key = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  for (std::size_t at = text.find("sk-"); at != std::string::npos; at = text.find("sk-", at + 3)) {
    std::size_t end = at;
    while (end < text.size() && in_key(text[end])) ++end;
    if (end - at >= shortest_key && (at == 0 || !in_key(text[at - 1]))) text.replace(at, end - at, "[key]");
  }
  return text;
}

/// A server that cuts a secret short or puts something into it repeats most of it all the same.
std::string without_parts(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::size_t told = 12;  // as many characters in a row are no chance
  for (const std::string& secret : secrets) {
    for (std::size_t part = 0; secret.size() >= told + 4 && part + told <= secret.size(); ++part) {
      const std::size_t at = text.find(secret.data() + part, 0, told);
      if (at == std::string::npos) continue;
      std::size_t size = told;
      while (part + size < secret.size() && at + size < text.size() && text[at + size] == secret[part + size]) ++size;
      text.replace(at, size, "[key]");
      --part;  // it may stand there again
    }
  }
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  std::string valid(text.substr(0, 2 * longest_shown));
  while (const auto bad = find_invalid_utf8(valid)) valid.erase(*bad, 1);
  for (std::string_view rest = valid; !rest.empty() && shown.size() < longest_shown;) {
    const std::size_t control = control_size(rest);
    if (control > 0) {
      shown += ' ';
    } else {
      shown += rest.front();
    }
    rest.remove_prefix(std::max<std::size_t>(control, 1));
  }
  while (const auto bad = find_invalid_utf8(shown)) shown.erase(*bad, 1);  // where it was cut
  return shown;
}

std::string redacted(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::string_view mark = "[key]";
  for (const std::string& secret : secrets) {
    if (secret.size() < shortest_secret) continue;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + mark.size())) {
      text.replace(at, secret.size(), mark);
    }
  }
  return text;
}

std::string shown_words(const std::string& words, const std::vector<std::string>& secrets) {
  return printable(without_keys(without_parts(redacted(words, secrets), secrets)));
}

}  // namespace icpi::http
