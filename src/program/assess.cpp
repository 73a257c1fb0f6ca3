// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "assessment.hpp"
#include "chosen_domain.hpp"
#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "interrupt.hpp"
#include "parse.hpp"
#include "prices.hpp"
#include "printable.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

constexpr std::size_t assessed_at_a_time = 256;  // between two looks at what was interrupted

std::vector<std::size_t> amounts_of(const AssessArguments& arguments) {
  std::vector<std::size_t> episodes;
  for (const auto& each : arguments.after) episodes.push_back(parse_count("--after", each, 1, 100'000));
  std::sort(episodes.begin(), episodes.end());
  episodes.erase(std::unique(episodes.begin(), episodes.end()), episodes.end());
  return episodes;
}

std::vector<QueryKind> kinds_of(const AssessArguments& arguments) {
  std::vector<QueryKind> kinds;
  for (const auto& each : arguments.kinds) kinds.push_back(parse_name("--kinds", each, query_kinds, query_kinds[0]));
  if (kinds.empty()) kinds.assign(query_kinds.begin(), query_kinds.end());
  return kinds;
}

void check_arguments(const AssessArguments& arguments, const Method& method) {
  if (!asks_model(method.kind))
    throw InvalidArgument(
        fmt::format("assess: agent '{}' asks no model; allowed: icpi, no-argmax", arguments.method.agent));
  if (arguments.model.batch.file.empty()) return;
  if (!arguments.model.record.empty() || !arguments.model.cache.empty())
    throw InvalidArgument("--record and --cache do not go with --batch: the batch itself can be had again");
}

/// Says what would be asked; the embedded model was, in the other one's place.
void print_prediction(const Assessment& assessment, const TokenPrices& prices, std::ostream& out) {
  Spending total;
  for (const AssessedKind& kind : assessment.kinds) {
    total.calls += kind.asked;
    total.usage.prompt_tokens += kind.usage.prompt_tokens;
    total.usage.completion_tokens += kind.usage.completion_tokens;
  }
  fmt::print(out, "{}: {} questions, {} prompt tokens, {} completion tokens", assessment.environment, total.calls,
             total.usage.prompt_tokens, total.usage.completion_tokens);
  if (has_price(prices)) fmt::print(out, ", cost {:.4g}", prices.cost(total.usage));
  fmt::print(out, ".\nCounted by the embedded model; tokens are estimated, none of them cached.\n");
}

}  // namespace

void assess(const AssessArguments& arguments, std::ostream& out) {
  const Method method = make_method(arguments.method, arguments.model.name);
  check_arguments(arguments, method);
  AssessRequest request{.method = method, .embedded = embedded_model(), .seeds = parse_seeds(arguments.seeds)};
  request.episodes = amounts_of(arguments);
  request.kinds = kinds_of(arguments);
  request.steps = parse_count("--predict", arguments.predict, 1, 100'000);
  request.at_a_time = arguments.model.batch.file.empty() ? assessed_at_a_time : std::numeric_limits<std::size_t>::max();
  check_model_name(arguments.model.name);
  const ModelChoice model = model_for(arguments.method, arguments.model);
  const auto ledger = std::make_shared<ModelLedger>(model);
  const TokenPrices& prices = ledger->account()->budget().prices;
  const ChosenDomain chosen(arguments.domain, arguments.environment);
  const DomainProgram& domain = chosen.program();
  if (arguments.dry_run) {
    request.model = embedded_model();
    print_prediction(domain.assess(request), prices, out);
    return;
  }
  const std::unique_ptr<FreshFile> numbers = json_file(arguments.json);
  request.model = model_factory(model, domain, method.hints, ledger);
  domain.check(method, model_factory(model, domain, method.hints, nullptr));
  if (arguments.model.batch.file.empty()) check_answer_files(model);
  watch_signals();
  const Assessment assessment = telling_costs(*ledger, out, [&] { return domain.assess(request); });
  fmt::print(out, "{}{}", assessment.table(prices), ledger->report());
  if (numbers) {
    numbers->text().write(assessment.json(prices) + "\n");
    numbers->take_place();
  }
  if (const auto unanswered = assessment.unanswered(); unanswered > 0)
    throw Error(
        fmt::format("{} questions got no answer; the first: {}", unanswered, printable_line(assessment.failure)));
}

}  // namespace icpi::program
