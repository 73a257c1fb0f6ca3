// SPDX-License-Identifier: MIT
// Any words on the command line, as far as they are read before anything is done: refused by name, or understood.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "commands.hpp"
#include "fuzz.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/validation.hpp"
#include "model_options.hpp"
#include "printable.hpp"

namespace {

using namespace icpi;
using namespace icpi::program;

template <class Read>
void try_to_read(Read&& read) {
  try {
    read();
  } catch (const InvalidArgument& error) {
    const std::string shown = printable(error.what());
    fuzz::require(!shown.empty(), "what is refused is named");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const unsigned kind = input.byte();
  auto words = input.records(12);
  for (auto& word : words) std::erase(word, '\0');
  if (words.empty()) return 0;
  const std::string& word = words.front();
  try_to_read([&] {
    const auto seeds = parse_seeds(word);
    fuzz::require(seeds.first < seeds.last, "there is a seed");
  });
  try_to_read([&] {
    const auto count = parse_count("--steps", word, 3, 1000);
    fuzz::require(count >= 3 && count <= 1000, "a count is in range");
  });
  try_to_read([&] {
    MethodArguments arguments;
    arguments.agent = kind % 2 == 0 ? "icpi" : words.back();
    arguments.options = kind % 4 < 2 ? "paper" : words.back();
    arguments.set = words;
    arguments.no_hints = kind % 8 < 4;
    check_options(make_method(arguments).settings.options());
  });
  try_to_read([&] {
    CLI::App app("fuzzed", "icpi");
    ModelChoice model;
    add_model(app, model);
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    try {
      app.parse(words);
    } catch (const CLI::ParseError&) {  // refused
    }
  });
  return 0;
}
