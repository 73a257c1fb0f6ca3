// SPDX-License-Identifier: MIT
#include "store/sha256.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace {

std::string hex(std::string_view text, std::size_t piece) {
  icpi::store::Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += piece) hash.update(text.substr(at, piece));
  std::string out;
  for (const auto byte : hash.finish()) out += fmt::format("{:02x}", byte);
  return out;
}

// The examples of FIPS 180-4's companion document, and a million times 'a'.
TEST(Sha256, KnownDigests) {
  EXPECT_EQ(hex("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 5),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(std::string(1000000, 'a'), 997), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesDoNotMatter) {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text(size, 'x');
    EXPECT_EQ(hex(text, 1), hex(text, 64)) << size;
  }
}

}  // namespace
