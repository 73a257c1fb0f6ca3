// SPDX-License-Identifier: MIT
// A run that may be killed at any moment: start the program again, and it goes on where it was.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "icpi/domains/chain.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/experiment/logged_agent.hpp"
#include "icpi/experiment/logged_model.hpp"
#include "icpi/icpi.hpp"

int main(int argc, char** argv) {
  const std::filesystem::path file = argc > 1 ? argv[1] : "chain-run.jsonl";
  const std::string header = R"({"domain":"chain","seed":0})";
  icpi::Chain env;
  try {
    const auto log = std::filesystem::exists(file)
                         ? std::make_unique<icpi::RecordLog>(file, icpi::Durability::process)
                         : std::make_unique<icpi::RecordLog>(file, header, icpi::Durability::process);
    icpi::RunPart part(*log, 0);
    icpi::LoggedModel<icpi::InductionModel> model(icpi::InductionModel{}, part);
    icpi::PolicyIteration<icpi::Chain, icpi::LoggedModel<icpi::InductionModel>> agent(env, model);
    const icpi::ChainFormatter formatter;
    icpi::LoggedAgent logged(env, agent, part, 0, [&](int state) { return std::string(formatter.observation(state)); });
    const std::size_t steps = logged.train(env, {.steps = 80});
    fmt::print("{} steps in {} episodes, {} LM calls\n", steps, logged.episodes(), logged.costs().lm_calls);
  } catch (const icpi::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
