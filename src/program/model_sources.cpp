// SPDX-License-Identifier: MIT
#include "model_sources.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "batch_service.hpp"
#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/recording.hpp"
#include "parse.hpp"
#include "prices.hpp"
#include "printable.hpp"

namespace icpi::program {

namespace {

ModelSource induction_source() {
  return {
      "induction",
      "the embedded model: no weights, learns from the prompt alone; induction/2, with the paper's options induction/1",
      true,
      [](const ModelChoice& choice, const DomainProgram&, bool, const std::shared_ptr<ModelLedger>&) -> ModelFactory {
        return embedded_model(choice.embedded);
      }};
}

template <InductionVersion version>
ModelSource induction_source(std::string_view name, std::string_view meaning) {
  return {name, meaning, true,
          [](const ModelChoice&, const DomainProgram&, bool, const std::shared_ptr<ModelLedger>&) -> ModelFactory {
            return embedded_model(version);
          }};
}

ModelSource oracle_source() {
  return {"oracle", "the environment itself as world model; actions copied from the prompt", true,
          [](const ModelChoice&, const DomainProgram& domain, bool hints, const std::shared_ptr<ModelLedger>&)
              -> ModelFactory { return [&domain, hints] { return domain.make_oracle(hints); }; }};
}

/// A number >= 0; `otherwise` for an empty text.
double parse_amount(std::string_view option, std::string_view text, double otherwise) {
  double value = otherwise;
  if (!text.empty() && (!parse_number(text, value) || value < 0))
    throw InvalidArgument(fmt::format("{} '{}' is not allowed; expected a number, 0 or more", option, text));
  return value;
}

std::uint64_t parse_limit(std::string_view option, const std::string& text) {
  return text.empty() ? 0 : parse_count(option, text, 1, std::numeric_limits<std::size_t>::max());
}

/// Of a file that need not name the model, since it may well cost nothing.
TokenPrices prices_if_named(const std::string& file, const std::string& model) {
  if (const auto prices = find_prices(file, model)) return *prices;
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  const std::string line = fmt::format("--prices '{}' has none of '{}': what it is asked counts as free", file, model);
  if (told.insert(line).second) tell(line);
  return {};
}

/// The options of the command line count before the file.
TokenPrices parse_prices(const ModelChoice& model) {
  const BudgetChoice& choice = model.budget;
  const std::string& file = choice.price_file;
  TokenPrices prices;
  if (!file.empty())
    prices = model.name == "http" ? read_prices(file, model.http.model_name) : prices_if_named(file, model.name);
  prices.prompt = parse_amount("--prompt-price", choice.prompt_price, prices.prompt);
  prices.completion = parse_amount("--completion-price", choice.completion_price, prices.completion);
  if (!choice.cached_price.empty()) prices.cached = parse_amount("--cached-price", choice.cached_price, 0);
  if (!choice.cache_write_price.empty())
    prices.cache_write = parse_amount("--cache-write-price", choice.cache_write_price, 0);
  return prices;
}

Budget parse_budget(const ModelChoice& model) {
  const BudgetChoice& choice = model.budget;
  Budget budget;
  budget.calls = parse_limit("--max-calls", choice.calls);
  budget.tokens = parse_limit("--max-total-tokens", choice.tokens);
  budget.money = parse_amount("--max-cost", choice.cost, 0);
  if (!choice.cost.empty() && budget.money == 0)
    throw InvalidArgument(fmt::format("--max-cost '{}' is not allowed; expected a number above 0", choice.cost));
  budget.prices = parse_prices(model);
  const std::string& thoughts = model.http.thinking_tokens;
  if (!thoughts.empty()) budget.thought_tokens = parse_count("--thinking-tokens", thoughts, 0, 10'000'000);
  return budget;
}

const ModelSource& find_source(std::string_view name) {
  std::vector<std::string_view> known;
  for (const ModelSource& each : model_sources()) {
    if (each.name == name && each.available) return each;
    if (each.name == name) throw InvalidArgument(fmt::format("model '{}' is not part of this build", name));
    if (each.available) known.push_back(each.name);
  }
  throw InvalidArgument(fmt::format("unknown model '{}': choose one of {}", name, fmt::join(known, ", ")));
}

/// Throws InvalidArgument naming an option that is for other models: it would do nothing.
void check_said(const ModelChoice& choice) {
  for (const ModelChoice::Said& said : choice.said)
    if (!said.goes_with(choice.name))
      throw InvalidArgument(fmt::format("{} needs --model {}", said.option,
                                        said.models == "http, llama" ? "http or llama" : said.models));
}

}  // namespace

ModelFactory embedded_model(InductionVersion version) {
  return [version] { return AnyLanguageModel(std::make_unique<InductionModel>(InductionOptions{.version = version})); };
}

ModelFactory stand_in(const DomainProgram& domain, bool hints) {
  if (!domain.has_oracle()) return embedded_model();
  return [&domain, hints] { return domain.make_oracle(hints); };
}

const std::vector<ModelSource>& model_sources() {
  static const std::vector<ModelSource> sources{
      induction_source(),
      induction_source<InductionVersion::first>("induction/1", "its first version"),
      induction_source<InductionVersion::calibrated>(
          "induction/2", "its calibrated version: chance is foretold as often as it was seen"),
      oracle_source(),
      http_source(),
      llama_source()};
  return sources;
}

std::shared_ptr<ReadabilityWatch> watch_of(const ModelChoice& choice) {
  // Behind servers there may be any model, spoken to in any way.
  const bool watched = choice.name == "http" && !choice.keep_going;
  return watched ? std::make_shared<ReadabilityWatch>() : nullptr;
}

void check_model_name(std::string_view name) { (void)find_source(name); }

ModelLedger::ModelLedger(std::span<const ModelChoice> choices) {
  std::vector<Budget> budgets;
  for (const ModelChoice& choice : choices) budgets.push_back(parse_budget(choice));
  const bool any_price =
      std::any_of(budgets.begin(), budgets.end(), [](const Budget& each) { return has_price(each.prices); });
  if (budgets.front().money > 0 && !any_price)
    throw InvalidArgument(
        "--max-cost needs --prices, or --prompt-price and --completion-price: without them nothing costs anything");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    Budget& budget = budgets[i];
    if (!has_price(budget.prices)) budget.money = 0;
    const auto like = std::find_if(accounts_.begin(), accounts_.end(), [&](const auto& each) {
      return same_prices(each.second->budget().prices, budget.prices);
    });
    accounts_.emplace_back(choices[i].name,
                           like == accounts_.end() ? std::make_shared<BudgetAccount>(budget) : like->second);
  }
}

const std::shared_ptr<BudgetAccount>& ModelLedger::account(std::string_view model) const {
  const auto found =
      std::find_if(accounts_.begin(), accounts_.end(), [&](const auto& each) { return each.first == model; });
  return found == accounts_.end() ? account() : found->second;
}

const Budget& ModelLedger::limits() const {
  for (const auto& [model, account] : accounts_)
    if (has_price(account->budget().prices)) return account->budget();
  return account()->budget();
}

std::vector<BudgetAccount*> ModelLedger::all_accounts() const {
  std::vector<BudgetAccount*> all;
  for (const auto& [model, account] : accounts_)
    if (std::find(all.begin(), all.end(), account.get()) == all.end()) all.push_back(account.get());
  return all;
}

void ModelLedger::add_cache(std::uint64_t hits, std::uint64_t misses) {
  const std::lock_guard lock(mutex_);
  cached_ = true;
  hits_ += hits;
  misses_ += misses;
}

void ModelLedger::add_answers(const AnswerCounts& counts) {
  const std::lock_guard lock(mutex_);
  answers_.cleaned += counts.cleaned;
  answers_.thoughts += counts.thoughts;
  answers_.unusable += counts.unusable;
  answers_.off_list += counts.off_list;
  answers_.uncounted += counts.uncounted;
}

std::string ModelLedger::report() const {
  Spending spent;
  double cost = 0;
  bool priced = false;
  for (const BudgetAccount* account : all_accounts()) {
    const Spending part = account->spent();
    spent.calls += part.calls;
    spent.usage += part.usage;
    cost += account->budget().prices.cost(part.usage);
    priced = priced || has_price(account->budget().prices);
  }
  std::string text =
      fmt::format("Model: {} calls, {} prompt tokens ({} of them cached), {} completion tokens", spent.calls,
                  spent.usage.prompt_tokens, spent.usage.cached_tokens, spent.usage.completion_tokens);
  if (spent.usage.written_tokens > 0) text += fmt::format(", {} written into caches", spent.usage.written_tokens);
  if (priced) text += fmt::format(", cost {:.6g}", cost);
  text += ".\n";
  if (const std::string over = overrun(); !over.empty()) text += over + "\n";
  const std::lock_guard lock(mutex_);
  if (answers_.cleaned > 0 || answers_.thoughts > 0 || answers_.unusable > 0)
    text += fmt::format("Answers: {} cleaned, {} with a thought, {} of no use.\n", answers_.cleaned, answers_.thoughts,
                        answers_.unusable);
  if (answers_.uncounted > 0)
    text += fmt::format("Usage: {} answers do not say how many tokens they took; they count as none.\n",
                        answers_.uncounted);
  if (answers_.off_list > 0)
    text += fmt::format("Choices: {} answers are none of those that were given; the service ignores them.\n",
                        answers_.off_list);
  if (!cached_) return text;
  const double rate =
      100 * static_cast<double>(hits_) / static_cast<double>(std::max<std::uint64_t>(hits_ + misses_, 1));
  return text + fmt::format("Cache: {} hits, {} misses ({:.1f} % hits).\n", hits_, misses_, rate);
}

std::string ModelLedger::overrun() const {
  Overrun over;
  for (const BudgetAccount* account : all_accounts()) {
    over.completion_tokens += account->overrun().completion_tokens;
    over.prompt_tokens += account->overrun().prompt_tokens;
  }
  if (over == Overrun{}) return {};
  return fmt::format(
      "Budget: servers wrote {} tokens beyond the limits sent, and counted {} beyond the estimates for prompts.",
      over.completion_tokens, over.prompt_tokens);
}

void tell_costs(const ModelLedger& ledger, std::ostream& out) {
  out << ledger.report();
  if (const std::string over = ledger.overrun(); !over.empty()) tell(over);
}

ModelFactory model_factory(const ModelChoice& choice, const DomainProgram& domain, bool hints,
                           const std::shared_ptr<ModelLedger>& ledger) {
  check_said(choice);
  if (choice.require_cache && choice.cache.empty())
    throw InvalidArgument("--require-cache needs --cache: name the file that holds the answers");
  if (choice.cache_optional && (choice.cache.empty() || choice.require_cache))
    throw InvalidArgument("--cache-optional needs --cache, and does not go with --require-cache");
  ModelFactory make = choice.batch.file.empty() ? find_source(choice.name).factory(choice, domain, hints, ledger)
                                                : batched_models(choice);
  if (!ledger) return make;
  make = [make = std::move(make), account = ledger->account(choice.name)] {
    return AnyLanguageModel(BudgetedModel<AnyLanguageModel>(make(), account));
  };
  if (!choice.cache.empty()) make = with_cache(std::move(make), choice, ledger);
  if (!choice.record.empty())
    make = [make = std::move(make), file = choice.record] {
      return AnyLanguageModel(RecordingModel<AnyLanguageModel>(make(), file));
    };
  return make;
}

void check_answer_files(const ModelChoice& choice) {
  if (!choice.cache.empty()) check_cache(choice);
  if (!choice.record.empty()) prepare_recording(choice.record);
}

std::string describe_model(const ModelChoice& choice) {
  const ModelSource& source = find_source(choice.name);
  check_said(choice);
  if (source.describe != nullptr) return printable(source.describe(choice));
  const AnyLanguageModel model = model_factory(choice, chain_program(), true, nullptr)();
  const Capabilities can = model.capabilities();
  const auto yes_or_no = [](bool flag) { return flag ? "yes" : "no"; };
  std::string text = fmt::format("model          {}\nchoices        {}\nscores         {}\n", model.identity(),
                                 yes_or_no(can.constrains_choices), yes_or_no(can.scores));
  text += fmt::format("logprobs       {}\n", yes_or_no(can.gives_logprobs));
  text +=
      fmt::format("counts tokens  {}\nasynchronous   {}\n", yes_or_no(can.counts_tokens), yes_or_no(can.asynchronous));
  if (model.context_limit() > 0) text += fmt::format("context        {} tokens\n", model.context_limit());
  return text;
}

}  // namespace icpi::program
