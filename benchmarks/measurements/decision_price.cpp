// SPDX-License-Identifier: MIT
// What a decision costs at services that sell what they have kept for less, in prices of a prompt token: a token of an
// answer costs 5. An agent that has lived through 100 episodes plays 10 more, with an oracle in the model's place. Its
// requests are written as they would be sent, and priced by four rules (prompt tokens: 0.38 a character):
//   nothing    nothing is kept
//   found      beginnings of 1,024 tokens and more, in steps of 128, are found by themselves: 0.5
//   chat       chat with explicit breakpoints: at least 1,024 tokens; writing 1.25, reading 0.1
//   anthropic  messages with cache_control: the same
// Nothing that was kept is forgotten. Rows: the paper's separate questions, every prompt drawn anew; append-only prompts,
// equal questions put once (merging); planning; and that with whole transitions.

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/body.hpp"
#include "http/dialect.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/models/model_decorator.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "table_arguments.hpp"

namespace icpi::measurements {
namespace {

constexpr std::size_t experience = 100;  ///< episodes
constexpr std::size_t measured = 10;     ///< episodes
constexpr double shortest_kept = 1024;   ///< tokens
constexpr double answer_price = 5;

double tokens(std::size_t characters) { return 0.38 * static_cast<double>(characters); }
std::uint64_t hash(std::string_view text) { return std::hash<std::string_view>{}(text); }

/// Keeps what it is told to, up to marks in the text.
class MarkedPrompts {
 public:
  /// The price of a prompt, which is kept up to each of `marks`, ascending offsets.
  double price(std::string_view prompt, std::span<const std::size_t> marks) {
    std::size_t found = 0;
    std::size_t written = 0;
    for (const std::size_t mark : marks) {
      if (tokens(mark) < shortest_kept) continue;
      if (kept_.contains(hash(prompt.substr(0, mark)))) found = mark;
      written = mark;
    }
    for (const std::size_t mark : marks) {
      if (tokens(mark) >= shortest_kept) kept_.insert(hash(prompt.substr(0, mark)));
    }
    return 0.1 * tokens(found) + 1.25 * tokens(written - found) + tokens(prompt.size() - written);
  }

 private:
  std::unordered_set<std::uint64_t> kept_;
};

/// Finds beginnings that it has seen.
class FoundPrompts {
 public:
  double price(std::string_view prompt) {
    std::size_t found = 0;
    for (std::size_t end = step; end <= prompt.size(); end += step) {
      const std::uint64_t beginning = hash(prompt.substr(0, end));
      if (seen_.contains(beginning) && tokens(end) >= shortest_kept) found = end;
      seen_.insert(beginning);
    }
    return 0.5 * tokens(found) + tokens(prompt.size() - found);
  }

 private:
  static constexpr std::size_t step = 337;  // 128 tokens
  std::unordered_set<std::uint64_t> seen_;
};

/// How a dialect writes requests.
class Writer {
 public:
  Writer(http::Dialect dialect, http::PromptCache cache) {
    options_.dialect = dialect;
    options_.request.prompt_cache = cache;
    shape_ = http::shape_of(options_.request);
  }
  /// The text of the messages, and where it may be kept up to.
  std::pair<std::string, std::vector<std::size_t>> written(const CompletionRequest& request) const {
    const http::WireContext context{options_, model_, shape_, http::ServerKind::generic, std::nullopt};
    const CompletionRequest* asked = &request;
    std::string body;
    http::strategy(options_.dialect).write(context, {&asked, 1}, body);
    const nlohmann::json sent = nlohmann::json::parse(body);
    std::pair<std::string, std::vector<std::size_t>> result;
    if (sent.contains("system")) add(sent["system"], result);
    for (const nlohmann::json& message : sent.at("messages")) add(message.at("content"), result);
    return result;
  }

 private:
  static void add(const nlohmann::json& content, std::pair<std::string, std::vector<std::size_t>>& result) {
    auto& [text, marks] = result;
    if (content.is_string()) text += content.get<std::string>();
    if (content.is_string()) return;
    for (const nlohmann::json& part : content) {
      text += part.at("text").get<std::string>();
      if (part.contains("cache_control") || part.contains("prompt_cache_breakpoint")) marks.push_back(text.size());
    }
  }

  http::Options options_;
  http::BodyShape shape_;
  std::string model_ = "m";
};

/// What was spent, by the rules above.
struct Bill {
  std::size_t calls = 0;
  std::array<double, 4> prices{};
};

/// Answers as `LM`, and prices every request.
template <class LM>
class PricedModel : public ModelDecorator<LM> {
 public:
  explicit PricedModel(LM model) : ModelDecorator<LM>(std::move(model)) {}
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    this->model_.complete(requests, completions);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto [chat, breakpoints] = chat_.written(requests[i]);
      const auto [messages, marks] = anthropic_.written(requests[i]);
      const double answer = answer_price * tokens(completions[i].text.size());
      ++bill.calls;
      bill.prices[0] += tokens(chat.size()) + answer;
      bill.prices[1] += found_.price(chat) + answer;
      bill.prices[2] += marked_chat_.price(chat, breakpoints) + answer;
      bill.prices[3] += marked_messages_.price(messages, marks) + answer;
    }
  }
  Bill bill;

 private:
  Writer chat_{http::Dialect::chat, http::PromptCache::breakpoints};
  Writer anthropic_{http::Dialect::anthropic, http::PromptCache::none};
  FoundPrompts found_;
  MarkedPrompts marked_chat_;
  MarkedPrompts marked_messages_;
};

struct Row {
  const char* name;
  PolicyIterationOptions options;
};

template <class Env>
std::vector<Row> rows() {
  const int limit = Env{}.facts().rollout_limit;
  PolicyIterationOptions paper = paper_options();
  paper.decisions.values = MeanOfRollouts{{.step_limit = limit}};
  PolicyIterationOptions merged = icpi_test::much_asking_options();
  merged.decisions.values = MeanOfRollouts{{.step_limit = limit}};
  PolicyIterationOptions planned = icpi_test::much_asking_options();
  planned.decisions.values = Planning{{.step_limit = limit}};
  PolicyIterationOptions whole = planned;
  whole.prompts.transition_questions = TransitionQuestions::whole;
  return {{"separate, drawn anew", paper},
          {"append-only, merged", merged},
          {"append-only, planned", planned},
          {"the same, whole transitions", whole}};
}

template <class Env>
void print_prices() {
  using Model = PricedModel<OracleModel<Env>>;
  using Teacher = PolicyIteration<Env, OracleModel<Env>>;
  Env env;
  OracleModel<Env> oracle;
  PolicyIterationOptions options;
  options.decisions.values = Planning{{.step_limit = env.facts().rollout_limit}};
  Teacher teacher(env, oracle, options);
  teacher.train(env, {.episodes = experience});
  double base = 0;
  for (const Row& row : rows<Env>()) {
    Model model{OracleModel<Env>()};
    PolicyIteration<Env, Model> agent(env, model, row.options, default_formatter_t<Env>(env), teacher.memory().buffer);
    const auto decisions = static_cast<double>(agent.train(env, {.episodes = measured}).steps);
    const Bill& bill = model.bill;
    if (base == 0) base = bill.prices[0] / decisions;
    fmt::print("| {} | {} | {:.1f} |", Env::name, row.name, static_cast<double>(bill.calls) / decisions);
    for (const double price : bill.prices)
      fmt::print(" {:.0f} ({:.3f}) |", price / decisions, price / decisions / base);
    fmt::print("\n");
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace icpi::measurements

int main() {
  using namespace icpi;
  return measurements::print_table([] {
    fmt::print(
        "| domain | questions | calls a decision | nothing kept | found by themselves | chat, breakpoints | anthropic "
        "|\n|---|---|---|---|---|---|---|\n");
    measurements::print_prices<Chain>();
    measurements::print_prices<MiniInvaders>();
  });
}
