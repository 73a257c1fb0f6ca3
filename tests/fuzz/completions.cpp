// SPDX-License-Identifier: MIT
// Any text as an answer, to every parser of the six formatters.
#include <string>
#include <tuple>

#include "fuzz.hpp"
#include "support/formatter_laws.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const icpi::testing::AllParsers domains;
  const icpi::fuzz::Input input(data, size);
  const std::string text(input.rest());
  icpi::testing::Accepted accepted;
  const auto check = [&](const auto& parsers) {
    const std::string_view law = parsers.broken_law(text, accepted);
    icpi::fuzz::require(law.empty(), law.data());
  };
  std::apply([&](const auto&... each) { (check(each), ...); }, domains);
  return 0;
}
