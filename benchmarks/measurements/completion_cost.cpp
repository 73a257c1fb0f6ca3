// SPDX-License-Identifier: MIT
// What a completion of the embedded model costs: prompts of 10,000 characters from random episodes, termination, reward
// and observation questions about further steps, each with its own prompt. Times are medians over questions of the
// fastest of ten rounds. With a domain as argument it asks every question once, through completion_to_count(),
// for scripts/instructions.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/induction/prefix_state.hpp"
#include "table_arguments.hpp"

namespace icpi::measurements {

/// Asks one question; returns the size of the answer. A function of its own, for tools that count instructions.
[[gnu::noinline]] std::size_t completion_to_count(InductionModel& model, const CompletionRequest& request,
                                                  Completion& completion) {
  model.complete({&request, 1}, {&completion, 1});
  return completion.text.size();
}

namespace {

constexpr std::size_t prompt_size = 10'000;
constexpr std::size_t extension = 300;
constexpr std::size_t question_count = 64;  ///< of each kind
constexpr std::array kinds{QueryKind::termination, QueryKind::reward, QueryKind::observation};

/// A prompt for one kind of question about the first action, a longer one that begins with it, and questions.
struct Material {
  std::string prompt;
  std::string extended;
  std::vector<std::string> questions;
  std::string stop;
};

template <class Env>
Material material(QueryKind kind) {
  Env env;
  const default_formatter_t<Env> formatter(env);
  RandomStream random{RandomKey(1)};
  Material result;
  result.stop = formatter.stop(kind);
  for (std::uint64_t episode = 0; result.questions.size() < question_count; ++episode) {
    auto observation = env.reset(episode);
    for (bool running = true; running;) {
      const std::size_t index = random.index(env.actions().size());
      const auto action = env.actions()[index];
      const auto step = env.step(action);
      const std::string question = std::string(formatter.observation(observation)) + formatter.action(action);
      if (index == 0 && (kind == QueryKind::termination || !step.terminated)) {
        const std::string answer = kind == QueryKind::termination ? std::string(formatter.termination(step.terminated))
                                   : kind == QueryKind::reward    ? std::string(formatter.reward(step.reward))
                                                               : std::string(formatter.observation(step.observation));
        if (result.prompt.size() < prompt_size)
          result.prompt += question + answer + "\n";
        else if (result.extended.size() < result.prompt.size() + extension)
          result.extended = (result.extended.empty() ? result.prompt : result.extended) + question + answer + "\n";
        else if (result.questions.size() < question_count)
          result.questions.push_back(question);
      }
      observation = step.observation;
      running = !step.terminated && !step.truncated;
    }
  }
  return result;
}

void ask(InductionModel& model, const Material& given, std::string_view question) {
  const std::string_view stop = given.stop;
  CompletionRequest request;
  request.prefix = {1, given.prompt};
  request.query = question;
  request.stop = {&stop, 1};
  request.sampling.temperature = 0;
  Completion completion;
  if (completion_to_count(model, request, completion) == 0) throw Error("a completion is empty");
}

/// Microseconds of the fastest of some repetitions.
template <class Work>
double fastest(int repetitions, const Work& work) {
  double best = 1e300;
  for (int i = 0; i < repetitions; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class Env>
void print_times() {
  std::vector<double> all;
  std::vector<double> observations;
  std::vector<double> first;
  double read = 0;
  double extend = 0;
  for (const QueryKind kind : kinds) {
    const Material given = material<Env>(kind);
    InductionModel model;
    for (const auto& question : given.questions) ask(model, given, question);
    std::vector<double> times(given.questions.size(), 1e300);
    for (int repetition = 0; repetition < 10; ++repetition)
      for (std::size_t i = 0; i < times.size(); ++i)
        times[i] = std::min(times[i], fastest(1, [&] { ask(model, given, given.questions[i]); }));
    all.insert(all.end(), times.begin(), times.end());
    if (kind == QueryKind::observation) {
      observations = times;
      for (std::size_t i = 0; i < question_count / 4; ++i) {
        first.push_back(fastest(3, [&] {
          InductionModel fresh;
          ask(fresh, given, given.questions[i]);
        }));
      }
    }
    induction::PrefixState state;
    read = std::max(read, fastest(20, [&] {
                      state.clear();
                      state.extend(given.prompt);
                    }));
    double slowest = 1e300;
    for (int i = 0; i < 20; ++i) {
      state.clear();
      state.extend(given.prompt);
      slowest = std::min(slowest, fastest(1, [&] { state.extend(given.extended); }));
    }
    extend = std::max(extend, slowest);
  }
  fmt::print("| {} | {:.1f} | {:.1f} | {:.0f} | {:.0f} | {:.0f} |\n", Env::name, median(all), median(observations),
             median(first), read, extend);
  std::fflush(stdout);
}

template <class Env>
void ask_once() {
  for (const QueryKind kind : kinds) {
    const Material given = material<Env>(kind);
    InductionModel model;
    for (int round = 0; round < 2; ++round)
      for (std::size_t i = 0; i < question_count / 4; ++i) ask(model, given, given.questions[i]);
  }
}

}  // namespace
}  // namespace icpi::measurements

int main(int argc, char** argv) {
  using namespace icpi;
  return measurements::print_table([&] {
    if (argc > 1) return visit_domain(argv[1], []<class Env>(const Env&) { measurements::ask_once<Env>(); });
    fmt::print(
        "| us, 10,000 characters | completion | of an observation | first, reading and learning | reading | "
        "extending by 300 |\n|---|---|---|---|---|---|\n");
    for_each_domain([]<class Env>(const Env&) { measurements::print_times<Env>(); });
  });
}
