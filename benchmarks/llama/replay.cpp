// SPDX-License-Identifier: MIT
// Asks the questions of whole decisions in four ways, side by side: see benchmarks/llama/README.md.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/domains/mini_invaders_formatter.hpp"
#include "icpi/http/language_model.hpp"
#include "icpi/icpi.hpp"
#include "icpi/llama/language_model.hpp"
#include "icpi/models/oracle.hpp"
#include "support/agent_options.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::http::HttpLanguageModel;
using icpi::llama::LlamaLanguageModel;

/// One question as the oracle was asked it, and its answer.
struct Question {
  std::uint64_t identity = 0;
  std::string prefix;
  std::string query;
  std::string stop;
  std::vector<std::string> choices;
  std::string answer;
  std::size_t round = 0;
};

/// The oracle, which writes down what it is asked. It accepts choices, because it only gives valid answers.
class TracedOracle {
 public:
  static constexpr bool constrains_choices = true;

  explicit TracedOracle(LlamaLanguageModel& counter) : counter_(&counter) {}

  [[nodiscard]] static std::string identity() { return "traced oracle"; }
  [[nodiscard]] std::size_t count_tokens(std::string_view text) const { return counter_->count_tokens(text); }

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    std::vector<CompletionRequest> plain(requests.begin(), requests.end());
    for (auto& each : plain) each.choices = {};
    oracle_.complete(plain, completions);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto& asked = requests[i];
      trace.push_back({asked.prefix.identity,
                       std::string(asked.prefix.text),
                       std::string(asked.query),
                       std::string(asked.stop.front()),
                       {asked.choices.begin(), asked.choices.end()},
                       completions[i].text,
                       rounds});
    }
    ++rounds;
  }

  std::vector<Question> trace;
  std::size_t rounds = 0;

 private:
  LlamaLanguageModel* counter_;
  icpi::OracleModel<icpi::MiniInvaders> oracle_;
};
static_assert(icpi::ConstrainsChoices<TracedOracle> && icpi::CountsTokens<TracedOracle>);

/// Questions of some decisions in a row, in the middle of a run.
struct Trace {
  std::vector<Question> before;  ///< of the decision before: what has been computed by then is not paid again
  std::vector<Question> asked;
};

/// The last decisions of a run of 30 episodes. `one_step`: with rollouts of one step.
Trace make_trace(LlamaLanguageModel& counter, icpi_test::PromptMode mode, std::size_t decisions, bool one_step) {
  TracedOracle oracle(counter);
  icpi::MiniInvaders env;
  icpi::PolicyIterationOptions options = icpi::paper_options();
  options.seed = 1;
  options.prompts.examples = icpi_test::examples_of(mode);
  options.prompts.context_tokens = 2000;
  options.queries.restrict_answers = true;
  icpi_test::rollouts_of(options).rollouts_per_action = 4;
  icpi_test::rollouts_of(options).step_limit = one_step ? 1 : env.facts().rollout_limit;
  icpi::PolicyIteration<icpi::MiniInvaders, TracedOracle> agent(env, oracle, options);
  std::vector<std::pair<std::size_t, std::size_t>> ranges;  // of the trace, by decision
  std::size_t begin = 0;
  agent.callbacks().on_decision = [&](const icpi::Decision& decision) {
    if (decision.by_model && oracle.trace.size() > begin) ranges.emplace_back(begin, oracle.trace.size());
    begin = oracle.trace.size();
  };
  agent.train(env, {.episodes = 30});
  if (ranges.size() <= decisions) throw icpi::Error("the run has too few decisions");
  const auto at = [&](std::size_t index) { return oracle.trace.begin() + static_cast<std::ptrdiff_t>(index); };
  const std::size_t first = ranges.size() - decisions;
  return {{at(ranges[first - 1].first), at(ranges[first].first)}, {at(ranges[first].first), at(begin)}};
}

/// CPU seconds of a process so far, its children aside; of this one for 0.
double cpu_seconds(int process) {
  std::ifstream file(process == 0 ? "/proc/self/stat" : fmt::format("/proc/{}/stat", process));
  std::string word;
  double ticks = 0;
  for (int field = 1; field <= 15 && file >> word; ++field)
    if (field == 14 || field == 15) ticks += std::stod(word);
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Cost {
  double wall = 0;
  double cpu = 0;
  Cost operator*(double factor) const { return {wall * factor, cpu * factor}; }
  Cost operator+(const Cost& other) const { return {wall + other.wall, cpu + other.cpu}; }
};

class Stopwatch {
 public:
  explicit Stopwatch(int server) : server_(server) {}
  [[nodiscard]] Cost read() const {
    const auto now = std::chrono::steady_clock::now();
    const double used = cpu_seconds(0) + (server_ == 0 ? 0 : cpu_seconds(server_));
    return {std::chrono::duration<double>(now - start_).count(), used - cpu_};
  }

 private:
  int server_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = cpu_seconds(0) + (server_ == 0 ? 0 : cpu_seconds(server_));
};

/// The request for a question. Random weights end nowhere: what is written is as long as the oracle's answer.
class Request {
 public:
  Request(const Question& question, LlamaLanguageModel& counter, bool choose)
      : choices_(question.choices.begin(), question.choices.end()), stop_{question.stop} {
    request.prefix = {question.identity, question.prefix};
    request.query = question.query;
    request.sampling = {.temperature = 0, .top_p = 1, .max_tokens = 1};
    if (choose && !choices_.empty()) {
      request.stop = stop_;
      request.choices = choices_;
    } else {
      request.sampling.max_tokens = static_cast<int>(counter.count_tokens(question.answer + question.stop));
    }
  }
  CompletionRequest request;

 private:
  std::vector<std::string_view> choices_;
  std::array<std::string_view, 1> stop_;
};

void check(const Completion& completion) {
  if (completion.error) throw icpi::Error(completion.error.message);
}

/// One by one, as a plain client does.
Cost ask_server(const std::vector<const Question*>& questions, HttpLanguageModel& server, int process,
                LlamaLanguageModel& counter) {
  std::vector<Request> requests;
  requests.reserve(questions.size());
  for (const Question* each : questions) {
    requests.emplace_back(*each, counter, false);
    requests.back().request.prefix.identity = 0;
  }
  const Stopwatch watch(process);
  for (const Request& each : requests) {
    Completion completion;
    server.complete({&each.request, 1}, {&completion, 1});
    check(completion);
  }
  return watch.read();
}

/// Round by round, as the engine asks.
Cost ask_here(const std::vector<Question>& questions, LlamaLanguageModel& model, bool choose) {
  std::vector<Request> requests;
  requests.reserve(questions.size());
  for (const Question& each : questions) requests.emplace_back(each, model, choose);
  const Stopwatch watch(0);
  for (std::size_t from = 0; from < questions.size();) {
    std::vector<CompletionRequest> round;
    for (std::size_t i = from; i < questions.size() && questions[i].round == questions[from].round; ++i)
      round.push_back(requests[i].request);
    std::vector<Completion> completions(round.size());
    model.complete(round, completions);
    for (const Completion& each : completions) check(each);
    from += round.size();
  }
  return watch.read();
}

std::vector<const Question*> sample(const std::vector<Question>& questions, std::size_t count) {
  std::vector<const Question*> chosen;
  count = std::min(count, questions.size());
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(&questions[i * questions.size() / count]);
  return chosen;
}

std::vector<const Question*> first_of_each_prefix(const std::vector<Question>& questions) {
  std::map<std::uint64_t, const Question*> first;
  for (const Question& each : questions) first.emplace(each.identity, &each);
  std::vector<const Question*> all;
  for (const auto& [identity, question] : first) all.push_back(question);
  return all;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Series {
  std::string name;
  std::vector<Cost> costs;
  double wall() const { return pick(&Cost::wall); }
  double cpu() const { return pick(&Cost::cpu); }
  double pick(double Cost::*field) const {
    std::vector<double> values;
    for (const Cost& each : costs) values.push_back(each.*field);
    return median(values);
  }
};

/// Tokens a second of 16 branches that grow together from one prefix of 600 tokens.
double decode_rate(const icpi::llama::Options& options) {
  LlamaLanguageModel model(options);
  std::string prefix;
  while (model.count_tokens(prefix) < 600) prefix += "assert ship == C(2, 0) and done\n";
  const auto request = [&](int tokens) {
    CompletionRequest each;
    each.prefix = {1, prefix};
    each.query = "x";
    each.sampling = {.temperature = 0, .top_p = 1, .max_tokens = tokens};
    return each;
  };
  std::vector<double> seconds;
  for (const int tokens : {1, 65}) {
    const std::vector<CompletionRequest> requests(16, request(tokens));
    std::vector<Completion> completions(16);
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) {
      const Stopwatch watch(0);
      model.complete(requests, completions);
      times.push_back(watch.read().wall);
    }
    seconds.push_back(median(times));
  }
  return 16 * 64 / (seconds[1] - seconds[0]);
}

void print_tokens(const std::string& name, const icpi::llama::Statistics& then, const icpi::llama::Statistics& now,
                  std::uint64_t budget) {
  const auto requested = now.prefix_tokens_requested - then.prefix_tokens_requested;
  const auto computed = now.prefix_tokens_computed - then.prefix_tokens_computed;
  const auto prompt = now.usage.prompt_tokens - then.usage.prompt_tokens;
  const auto prompt_computed = prompt - (now.usage.cached_tokens - then.usage.cached_tokens);
  const auto ratio = [](std::uint64_t a, std::uint64_t b) { return static_cast<double>(a) / static_cast<double>(b); };
  fmt::print(
      "{}: prefix tokens {} requested, {} computed (1/{:.0f}); prompt tokens {} and {} (1/{:.0f}); {:.1f} of {:.1f} "
      "MiB\n",
      name, requested, computed, ratio(requested, std::max<std::uint64_t>(1, computed)), prompt, prompt_computed,
      ratio(prompt, prompt_computed), static_cast<double>(now.most_kv_bytes) / (1U << 20U),
      static_cast<double>(budget) / (1U << 20U));
}

struct Arguments {
  std::string model;
  std::string url;
  int process = 0;
  std::size_t repeats = 5;
  std::size_t decisions = 2;
  bool one_step = false;
  std::string backends;
};

void run(const Arguments& arguments) {
  icpi::llama::Options options;
  options.model_path = arguments.model;
  options.backend_directory = arguments.backends;
  options.context = 4096;
  options.threads = 2;
  LlamaLanguageModel counter(options);
  const auto shuffled = make_trace(counter, icpi_test::PromptMode::per_query, arguments.decisions, arguments.one_step);
  const auto stable = make_trace(counter, icpi_test::PromptMode::stable, arguments.decisions, arguments.one_step);
  const auto warming = first_of_each_prefix(stable.before);
  const auto count = static_cast<double>(stable.asked.size());
  double prompt = 0;
  double written = 0;
  for (const Question& each : stable.asked) {
    prompt += static_cast<double>(counter.count_tokens(each.prefix + each.query));
    written += static_cast<double>(counter.count_tokens(each.answer + each.stop));
  }
  fmt::print("{} questions of {} decisions, {} prefixes, {:.0f} prompt tokens and {:.1f} written tokens a question\n",
             stable.asked.size(), arguments.decisions, first_of_each_prefix(stable.asked).size(), prompt / count,
             written / count);
  fmt::print("(with prompts drawn anew nothing can be left out: {} questions)\n", shuffled.asked.size());

  icpi::http::Options plain_options;  // says nothing of caches: the server is started with --no-cache-prompt
  plain_options.base_urls = {arguments.url + "/v1"};
  plain_options.server = icpi::http::ServerKind::generic;
  plain_options.concurrency = 1;
  HttpLanguageModel plain(plain_options);
  icpi::http::Options server_options;  // asks for the cache
  server_options.base_urls = {arguments.url};
  server_options.dialect = icpi::http::Dialect::llama_native;
  server_options.concurrency = 1;
  server_options.pin_slots = false;
  HttpLanguageModel server(server_options);
  const auto shuffled_sample = sample(shuffled.asked, 20);
  const auto stable_all = sample(stable.asked, stable.asked.size());
  std::array<Series, 4> series{Series{"a: one by one, reshuffled", {}}, Series{"b: one by one, stable, cached", {}},
                               Series{"c: icpi::llama", {}}, Series{"d: icpi::llama, choices", {}}};
  for (std::size_t i = 0; i < arguments.repeats; ++i) {
    const double a_factor = count / static_cast<double>(shuffled_sample.size());
    series[0].costs.push_back(ask_server(shuffled_sample, plain, arguments.process, counter) * a_factor);
    ask_server(warming, server, arguments.process, counter);
    series[1].costs.push_back(ask_server(stable_all, server, arguments.process, counter));
    for (const bool choose : {false, true}) {
      LlamaLanguageModel model(options);
      ask_here(stable.before, model, choose);
      const auto then = model.statistics();
      series[choose ? 3 : 2].costs.push_back(ask_here(stable.asked, model, choose));
      const auto now = model.statistics();
      if (i == 0) print_tokens(series[choose ? 3 : 2].name, then, now, model.capabilities().kv_bytes);
      std::fflush(stdout);
    }
  }
  for (const Series& each : series) {
    fmt::print("{:<32} {:8.1f} s  {:8.1f} CPU s;  a / this {:5.1f} ({:.1f} CPU), b / this {:5.2f} ({:.2f} CPU)\n",
               each.name, each.wall(), each.cpu(), series[0].wall() / each.wall(), series[0].cpu() / each.cpu(),
               series[1].wall() / each.wall(), series[1].cpu() / each.cpu());
  }
  fmt::print("decoding with 16 branches: {:.0f} tokens/s\n", decode_rate(options));
}

}  // namespace

int main(int count, char** words) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (count < 4) {
    fmt::print(stderr, "usage: llama_replay MODEL SERVER_URL SERVER_PROCESS [REPEATS [DECISIONS [one-step]]]\n");
    return 2;
  }
  Arguments arguments;
  arguments.model = words[1];
  arguments.url = words[2];
  arguments.process = std::stoi(words[3]);
  if (count > 4) arguments.repeats = std::stoul(words[4]);
  if (count > 5) arguments.decisions = std::stoul(words[5]);
  arguments.one_step = count > 6;
  if (const char* backends = std::getenv("ICPI_LLAMA_BACKENDS")) arguments.backends = backends;
  try {
    run(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "llama_replay: {}\n", error.what());
    return 1;
  }
}
