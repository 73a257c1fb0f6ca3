// SPDX-License-Identifier: MIT
// Any prompt to the embedded model: an answer or an error, within its limits, the same between whichever records the
// prompt is split.
#include <array>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "icpi/models/induction.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icpi;
  fuzz::Input input(data, std::min<std::size_t>(size, 1500));
  CompletionRequest request;
  request.sampling.max_tokens = 1 + static_cast<int>(input.byte() % 20);
  request.sampling.temperature = input.byte() / 64.0;
  request.want_logprobs = input.byte() % 2 == 1;
  const std::string stop_text(input.record());
  const std::array<std::string_view, 1> stop{stop_text};
  if (!stop_text.empty()) request.stop = stop;
  const std::string prefix(input.record());
  const std::string query(input.rest());
  request.seed = query.size();
  request.prefix = {0, prefix};
  request.query = query;
  const std::string whole = prefix + query;
  const bool between_records = prefix.empty() || (prefix.ends_with("\n\n") && !query.starts_with('\n'));
  CompletionRequest joined = request;
  joined.prefix = {};
  joined.query = whole;
  InductionModel model;
  const std::array requests{request, joined};
  std::vector<Completion> completions(requests.size());
  model.complete(requests, completions);
  fuzz::require(!between_records || completions[0].text == completions[1].text,
                "the answer does not depend on between which records the prompt is split");
  for (const auto& completion : completions) {
    if (completion.error) continue;
    fuzz::require(completion.finish != FinishReason::error, "an answer says why it ends");
    fuzz::require(stop_text.empty() || completion.text.find(stop_text) == std::string::npos,
                  "an answer ends before its stop string");
  }
  return 0;
}
