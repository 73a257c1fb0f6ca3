// SPDX-License-Identifier: MIT
#include "icpi/process/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "environment_server.hpp"
#include "icpi/core/error.hpp"
#include "messages.hpp"

namespace icpi {

namespace {

/// Of the last `window` observations as one, the newest last.
std::vector<Field> windowed(const std::vector<Field>& fields, std::size_t window) {
  std::vector<Field> all;
  for (std::size_t age = window; age-- > 0;) {
    for (Field field : fields) {
      const std::string before = age == 0 ? "" : fmt::format("_before_{}", age);
      field.name += before;
      if (!field.group.empty()) field.group += before;
      all.push_back(std::move(field));
    }
  }
  return all;
}

}  // namespace

struct ProcessEnvironment::Slot {
  /// What was asked for ahead, and what came of it.
  struct Begun {
    std::uint64_t seed;  ///< of a reset
    std::string action;  ///< of a step; empty: a reset
    detail::EnvironmentAnswer answer;
  };

  std::shared_ptr<detail::EnvironmentServer> server;
  std::size_t number;  ///< of the environment, for the server
  std::vector<Field> fields;
  std::deque<FieldValues> window;  ///< the last observations of the server
  std::vector<std::string> legal;
  Observation now;  ///< where `legal` is
  std::size_t steps = 0;
  bool in_episode = false;
  std::optional<Begun> begun;

  /// Steps after which an episode is truncated here, whatever the server does; 0: none.
  [[nodiscard]] std::size_t own_limit() const {
    const ProcessOptions& options = server->options();
    if (options.step_limit > 0) return options.step_limit;
    return server->spec().step_limit > 0 ? 0 : options.default_step_limit;
  }

  detail::EnvironmentAnswer take(std::uint64_t seed, const std::string& action) {
    if (begun->seed != seed || begun->action != action)
      throw InvalidArgument("another seed or action was begun for this environment");
    detail::EnvironmentAnswer answer = std::move(begun->answer);
    begun.reset();
    return answer;
  }

  void require_known(const std::string& action) const {
    const auto& actions = server->spec().actions;
    if (std::find(actions.begin(), actions.end(), action) == actions.end())
      throw InvalidArgument(fmt::format("step: '{}' is none of the environment's actions", action));
    if (!in_episode) throw InvalidArgument("step: no episode is under way; call reset() first");
  }
};

ProcessEnvironment::ProcessEnvironment(const ProcessOptions& options)
    : ProcessEnvironment(std::make_shared<detail::EnvironmentServer>(options, 1), 0) {}

ProcessEnvironment::ProcessEnvironment(std::shared_ptr<detail::EnvironmentServer> server, std::size_t number)
    : slot_(std::make_unique<Slot>()) {
  slot_->fields = windowed(server->spec().fields, server->options().window);
  (void)FieldText(slot_->fields);  // names of a window may meet others
  slot_->legal = server->spec().actions;
  slot_->number = number;
  slot_->server = std::move(server);
}

ProcessEnvironment::ProcessEnvironment(ProcessEnvironment&&) noexcept = default;
ProcessEnvironment& ProcessEnvironment::operator=(ProcessEnvironment&&) noexcept = default;
ProcessEnvironment::~ProcessEnvironment() = default;

std::vector<ProcessEnvironment> ProcessEnvironment::start(const ProcessOptions& options, std::size_t count) {
  const auto server = std::make_shared<detail::EnvironmentServer>(options, count);
  std::vector<ProcessEnvironment> environments;
  for (std::size_t number = 0; number < count; ++number) environments.push_back(ProcessEnvironment(server, number));
  return environments;
}

const EnvironmentSpec& ProcessEnvironment::spec() const noexcept { return slot_->server->spec(); }

const std::vector<Field>& ProcessEnvironment::fields() const noexcept { return slot_->fields; }

const std::vector<std::string>& ProcessEnvironment::actions() const noexcept { return spec().actions; }

double ProcessEnvironment::discount() const noexcept {
  return spec().discount.value_or(slot_->server->options().discount);
}

std::size_t ProcessEnvironment::step_limit() const noexcept {
  const std::size_t own = slot_->own_limit();
  return own == 0 ? spec().step_limit : spec().step_limit == 0 ? own : std::min(own, spec().step_limit);
}

std::string ProcessEnvironment::last_words() const { return slot_->server->last_words(); }

const std::vector<std::string>& ProcessEnvironment::legal_actions() const noexcept { return slot_->legal; }

std::vector<std::string> ProcessEnvironment::legal_actions(const Observation& observation) const {
  if (slot_->in_episode && observation == slot_->now) return slot_->legal;
  const std::size_t size = spec().fields.size();
  if (observation.size() != slot_->fields.size())
    throw InvalidArgument(fmt::format("legal_actions: the observation has {} values for {} fields", observation.size(),
                                      slot_->fields.size()));
  return slot_->server->legal_actions(
      FieldValues(observation.end() - static_cast<std::ptrdiff_t>(size), observation.end()));
}

ProcessEnvironment::Observation ProcessEnvironment::seen(const FieldValues& values) {
  auto& window = slot_->window;
  const std::size_t size = slot_->server->options().window;
  if (size == 1) return slot_->now = values;
  if (window.empty()) window.assign(size, values);
  window.pop_front();
  window.push_back(values);
  Observation all;
  for (const auto& each : window) all.insert(all.end(), each.begin(), each.end());
  return slot_->now = all;
}

ProcessEnvironment::Observation ProcessEnvironment::reset(std::uint64_t seed) {
  slot_->in_episode = false;
  slot_->window.clear();
  slot_->steps = 0;
  const std::size_t numbers[] = {slot_->number};
  const std::uint64_t seeds[] = {seed};
  const detail::EnvironmentAnswer answer =
      slot_->begun ? slot_->take(seed, {}) : slot_->server->reset(numbers, seeds)[0];
  if (!answer.error.empty()) throw Error(answer.error);
  slot_->in_episode = true;
  slot_->legal = answer.legal_actions;
  return seen(answer.observation);
}

Step<ProcessEnvironment::Observation> ProcessEnvironment::step(const std::string& action) {
  slot_->require_known(action);
  const std::string* const actions[] = {&action};
  const std::size_t numbers[] = {slot_->number};
  const detail::EnvironmentAnswer answer =
      slot_->begun ? slot_->take(0, action) : slot_->server->step(numbers, actions)[0];
  slot_->in_episode = false;
  if (!answer.error.empty()) throw Error(answer.error);
  ++slot_->steps;
  const std::size_t limit = slot_->own_limit();
  const bool broken_off = answer.truncated || (limit > 0 && slot_->steps >= limit);
  slot_->in_episode = !answer.terminated && !broken_off;
  slot_->legal = answer.legal_actions;
  return {seen(answer.observation), answer.reward, answer.terminated, !answer.terminated && broken_off};
}

namespace {

/// Calls ask(numbers of the list) for the environments of each server, in the order of the list.
template <class Server, class Ask>
void for_each_server(std::size_t count, Server&& server, Ask&& ask) {
  std::vector<bool> done(count);
  for (std::size_t first = 0; first < count; ++first) {
    if (done[first]) continue;
    std::vector<std::size_t> group;
    for (std::size_t i = first; i < count; ++i) {
      if (server(i) != server(first)) continue;
      done[i] = true;
      group.push_back(i);
    }
    ask(group);
  }
}

/// What `ask` answers for so many environments; what it throws, as an answer for each of them.
template <class Ask>
std::vector<detail::EnvironmentAnswer> answers_of(std::size_t count, Ask&& ask) {
  try {
    return ask();
  } catch (const EnvironmentUnreachable&) {
    throw;
  } catch (const Error& error) {
    detail::EnvironmentAnswer failed;
    failed.error = error.what();
    return std::vector<detail::EnvironmentAnswer>(count, failed);
  }
}

}  // namespace

void ProcessEnvironment::begin_resets(std::span<ProcessEnvironment* const> environments,
                                      std::span<const std::uint64_t> seeds) {
  if (environments.size() != seeds.size()) throw InvalidArgument("begin_resets: there is not one seed for each");
  for_each_server(
      environments.size(), [&](std::size_t i) { return environments[i]->slot_->server.get(); },
      [&](const std::vector<std::size_t>& group) {
        std::vector<std::size_t> numbers;
        std::vector<std::uint64_t> chosen;
        for (const std::size_t i : group) {
          numbers.push_back(environments[i]->slot_->number);
          chosen.push_back(seeds[i]);
        }
        auto& server = *environments[group[0]]->slot_->server;
        auto answers = answers_of(group.size(), [&] { return server.reset(numbers, chosen); });
        for (std::size_t k = 0; k < group.size(); ++k)
          environments[group[k]]->slot_->begun = Slot::Begun{chosen[k], {}, std::move(answers[k])};
      });
}

void ProcessEnvironment::begin_steps(std::span<ProcessEnvironment* const> environments,
                                     std::span<const std::string* const> actions) {
  if (environments.size() != actions.size()) throw InvalidArgument("begin_steps: there is not one action for each");
  for (std::size_t i = 0; i < environments.size(); ++i) environments[i]->slot_->require_known(*actions[i]);
  for_each_server(
      environments.size(), [&](std::size_t i) { return environments[i]->slot_->server.get(); },
      [&](const std::vector<std::size_t>& group) {
        std::vector<std::size_t> numbers;
        std::vector<const std::string*> chosen;
        for (const std::size_t i : group) {
          numbers.push_back(environments[i]->slot_->number);
          chosen.push_back(actions[i]);
        }
        auto& server = *environments[group[0]]->slot_->server;
        auto answers = answers_of(group.size(), [&] { return server.step(numbers, chosen); });
        for (std::size_t k = 0; k < group.size(); ++k)
          environments[group[k]]->slot_->begun = Slot::Begun{0, *chosen[k], std::move(answers[k])};
      });
}

void ProcessEnvironment::continue_from(const Observation& observation, std::uint64_t seed) {
  slot_->begun.reset();
  slot_->in_episode = false;
  slot_->legal = slot_->server->set_state(slot_->number, observation, seed);
  slot_->now = observation;
  slot_->steps = 0;
  slot_->in_episode = true;
}

SettableProcessEnvironment::SettableProcessEnvironment(ProcessEnvironment environment)
    : ProcessEnvironment(std::move(environment)) {
  if (!has_states()) throw InvalidArgument(fmt::format("{}: its server cannot set states", spec().name));
  if (fields().size() != spec().fields.size())
    throw InvalidArgument(fmt::format("{}: a state cannot be set from a window of observations", spec().name));
}

}  // namespace icpi
