// SPDX-License-Identifier: MIT
// What the wording of prompts matters to the embedded model: the recommended options in all six domains, with prompts
// reworded on their way to the model and its answers translated back. Differences of auc are paired by seed.

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "domain_program.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/experiment/regret_curve.hpp"
#include "icpi/models/induction.hpp"
#include "methods.hpp"
#include "rewording.hpp"
#include "table_arguments.hpp"

namespace icpi::measurements {
namespace {

/// The rewordings of the table; what is random in them depends on the seed.
std::vector<Rewording> rewordings(std::uint64_t seed) {
  return {unchanged(),           rename_words(seed),     replace_equality("is"),
          replace_equality(":"), replace_equality("->"), add_to_numbers(17)};
}

/// The auc of every seed.
Eigen::ArrayXd regrets(const program::DomainProgram& domain, std::size_t rewording, SeedRange seeds) {
  const auto horizon = static_cast<std::size_t>(domain.facts().horizon);
  program::Method method;
  method.label = "icpi-best";
  method.settings = program::named_settings("best");
  std::vector<EpisodeRecord> records;
  for (std::uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const program::ModelFactory model = [&] {
      return AnyLanguageModel(
          std::make_unique<RewordedModel<InductionModel>>(InductionModel(), rewordings(seed)[rewording]));
    };
    domain.run({method, model, {seed, seed + 1}, horizon, 1},
               [&](const EpisodeRecord& record) { records.push_back(record); });
  }
  return regret_by_step(records, horizon).rowwise().mean();
}

}  // namespace
}  // namespace icpi::measurements

int main(int argc, char** argv) {
  using namespace icpi;
  using namespace icpi::measurements;
  return print_table([&] {
    const SeedRange seeds = table_seeds(argc, argv, "0:20");
    const auto all = rewordings(0);
    fmt::print("| auc, seeds {}:{}", seeds.first, seeds.last);
    for (const auto& rewording : all) fmt::print(" | {}", rewording.name);
    fmt::print(" |\n|---");
    for (std::size_t i = 0; i < all.size(); ++i) fmt::print("|---");
    fmt::print("|\n");
    for (const std::string_view name : domain_names) {
      const auto& domain = program::domain_program(name);
      const Eigen::ArrayXd as_it_is = regrets(domain, 0, seeds);
      fmt::print("| {} | {}", name, cell(estimate(as_it_is)));
      for (std::size_t i = 1; i < all.size(); ++i) {
        fmt::print(" | {}", difference_cell(estimate(regrets(domain, i, seeds) - as_it_is)));
        std::fflush(stdout);
      }
      fmt::print(" |\n");
    }
  });
}
