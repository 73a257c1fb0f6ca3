// SPDX-License-Identifier: MIT
// An environment that shows any texts, and a model that answers with any: every transition is refused without a trace
// or makes prompts that fall apart into its examples; every query has its shape.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "support/agent_options.hpp"
#include "support/text_world.hpp"

namespace {

using namespace icpi;
using testing::TextWorld;

/// Says the given texts, one after the other, over and over; looks at what it is asked.
struct Parrot {
  std::vector<std::string> texts;
  std::size_t next = 0;

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const std::string_view query = requests[i].query.substr(requests[i].question - requests[i].prefix.text.size());
      fuzz::require(is_whole_lines(query) && std::count(query.begin(), query.end(), '\n') == 2, "a query is two lines");
      completions[i] = {};
      completions[i].finish = FinishReason::stop;
      completions[i].text = texts[next++ % texts.size()];
    }
  }
  [[nodiscard]] std::string identity() const { return "parrot"; }
};

/// Every part between blank lines is an observation, an action and an answer.
void require_examples(std::string_view prompt) {
  while (!prompt.empty()) {
    const std::size_t end = prompt.find("\n\n");
    fuzz::require(end != std::string_view::npos, "an example ends in a blank line");
    const std::string_view example = prompt.substr(0, end + 1);
    fuzz::require(std::count(example.begin(), example.end(), '\n') == 3, "an example is three lines");
    prompt.remove_prefix(end + 2);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  PolicyIterationOptions options = icpi::paper_options();
  const unsigned flags = input.byte();
  const bool balance = (flags & 2U) != 0;
  if ((flags & 16U) != 0)
    options.prompts.examples = AlikeExamples{.count = 1 + (flags >> 5U), .stem_tokens = balance ? 20U : 0U};
  else if ((flags & 1U) != 0)
    options.prompts.examples = AppendOnlyExamples{.balance = balance};
  else
    options.prompts.examples = BalancedExamples{balance};
  options.prompts.context_tokens = 40 + input.byte();
  options.decisions.update_within_episode = (flags & 4U) != 0;
  options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
  icpi_test::rollouts_of(options).step_limit = 2;
  icpi_test::rollouts_of(options).speculate = (flags & 8U) != 0;
  auto texts = input.records(10);
  texts.insert(texts.end(), {"assert done", "assert not done", "assert reward == 1", "go()"});
  TextWorld env(texts);
  Parrot model{texts};
  PolicyIteration<TextWorld, Parrot> agent(env, model, options);
  for (std::size_t i = 0; i + 1 < texts.size(); ++i) {
    const auto held = agent.memory().buffer.size();
    try {
      agent.import({{texts[i], static_cast<int>(i % 2), 0.5, i % 3 == 0, false, texts[i + 1]}});
    } catch (const InvalidArgument&) {
      fuzz::require(agent.memory().buffer.size() == held, "a refused transition leaves no trace");
    }
  }
  PromptScratch scratch;
  RandomStream stream{RandomKey(1)};
  for (const QueryKind kind : {QueryKind::termination, QueryKind::reward, QueryKind::observation}) {
    for (const bool terminated : {false, true}) {
      std::string prompt;
      agent.memory().state().book.write(kind, 0, terminated, stream, scratch, prompt);
      require_examples(prompt);
      fuzz::require(estimated_tokens(prompt) <= options.prompts.context_tokens, "a prompt stays within its context");
    }
  }
  for (const auto& text : texts) {
    try {
      agent.begin_episode(text);
      const int action = agent.act(text);
      agent.observe({text, static_cast<double>(action), true, false});
    } catch (const InvalidArgument&) {  // the observation was refused
    }
  }
  return 0;
}
