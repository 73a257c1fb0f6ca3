// SPDX-License-Identifier: MIT
// Any file as a plan of a sweep: refused by file and line, or of the form that a plan has. Nothing it names leaves the
// sweep's folder, no key is more than an option's name, and no option for Slurm leaves its line.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "fuzz.hpp"
#include "icpi/core/error.hpp"
#include "plan_file.hpp"

namespace {

using namespace icpi;
using namespace icpi::program;

std::string plan_file() {
  static const auto file = std::filesystem::temp_directory_path() / ("icpi-fuzz-plan-" + std::to_string(getpid()));
  return file.string();
}

bool is_of_a_name(char each) { return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-'; }

void require_sound(const PlanEntry& entry) {
  fuzz::require(entry.name.find('/') == std::string::npos && !entry.name.starts_with('.'), "a name is a folder's");
  for (const std::string& word : entry.words) {
    fuzz::require(word.starts_with("--"), "words are options");
    const std::string name = word.substr(2, word.find('=') - 2);
    fuzz::require(!name.empty() && std::all_of(name.begin(), name.end(), is_of_a_name), "options have plain names");
    for (const std::string given : {"seeds", "out", "resume", "record", "dry-run", "help"})
      fuzz::require(name != given, "what the sweep gives is in no plan");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  std::ofstream(plan_file(), std::ios::binary) << input.rest();
  try {
    const PlanFile plan = read_plan_file(plan_file());
    fuzz::require(plan.seeds.first < plan.seeds.last && plan.seeds_per_task > 0, "there is something to play");
    require_sound(plan.common);
    for (const auto* entries : {&plan.environments, &plan.models, &plan.methods}) {
      fuzz::require(!entries->empty(), "every list has something");
      for (const PlanEntry& entry : *entries) require_sound(entry);
    }
    for (const std::string& option : plan.slurm)
      fuzz::require(std::none_of(option.begin(), option.end(), [](char each) { return each == '\n' || each == '"'; }),
                    "an option for Slurm stays on its line");
  } catch (const InvalidArgument& refusal) {
    fuzz::require(std::string(refusal.what()).starts_with(plan_file()), "what is refused is named by its file");
  }
  std::filesystem::remove(plan_file());
  return 0;
}
