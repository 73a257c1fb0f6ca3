// SPDX-License-Identifier: MIT
// Any lines with true checksums as a saved agent, also behind the first line of a true one: refused by name with nothing
// changed, or read, written as it was, and gone on with.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/policy/saved_agent.hpp"

namespace {

using namespace icpi;

using Agent = PolicyIteration<Chain, InductionModel>;

std::string agent_file() {
  static const auto file = std::filesystem::temp_directory_path() / ("icpi-fuzz-agent-" + std::to_string(getpid()));
  return file.string();
}

/// That of an agent of the chain, which has lived through one episode, without its counts of lines: what follows is the
/// fuzzer's.
const std::string& true_header() {
  static const std::string header = [] {
    Chain env;
    InductionModel model;
    Agent agent(env, model);
    agent.train(env, {.episodes = 1});
    agent.save(agent_file());
    std::string line;
    std::ifstream in(agent_file());
    std::getline(in, line);
    line.resize(detail::checked_part(line).size());
    return line.substr(0, line.find(",\"events\":"));
  }();
  return header;
}

void write_lines(const std::vector<std::string>& lines) {
  std::ofstream out(agent_file(), std::ios::binary);
  detail::ChecksumChain chain;
  for (const std::string& line : lines) out << chain.add(line) << '\n';
}

void read_and_write() {
  const SavedAgent agent = read_saved_agent(agent_file());
  for (const auto& event : agent.events)
    fuzz::require(event.kind <= MemoryEvent::Kind::close, "events are of a known kind");
  write_saved_agent(agent_file(), agent);
  fuzz::require(read_saved_agent(agent_file()) == agent, "what was read is written as it was");
}

void go_on() {
  Chain env;
  InductionModel model;
  Agent agent(env, model);
  try {
    agent.load(env, agent_file());
  } catch (const InvalidArgument&) {
    fuzz::require(agent.episodes() == 0, "what is refused changes nothing");
    return;
  }
  (void)agent.evaluate(env);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool with_true_header = (input.byte() & 1U) != 0;
  const unsigned events = input.byte() % 8;
  const unsigned steps = input.byte() % 8;
  std::vector<std::string> lines = input.records(16);
  if (with_true_header) {
    lines.insert(lines.begin(),
                 true_header() + ",\"events\":" + std::to_string(events) + ",\"steps\":" + std::to_string(steps) + "}");
  }
  std::erase_if(lines, [](const std::string& line) { return line.size() < 2; });  // no checksum goes with them
  write_lines(lines);
  try {
    read_and_write();
    if (with_true_header) go_on();
  } catch (const InvalidArgument& refusal) {
    fuzz::require(std::string(refusal.what()).starts_with(agent_file()), "what is refused is named by its file");
  }
  std::filesystem::remove(agent_file());
  return 0;
}
