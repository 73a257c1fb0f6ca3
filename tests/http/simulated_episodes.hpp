// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "http/adaptation.hpp"
#include "http/scheduler.hpp"
#include "http/simulated_servers.hpp"
#include "http/url.hpp"

namespace icpi_test {

/// Episodes in parallel that put rounds of questions to made-up servers by the real scheduler: each puts the next round
/// once all of the last one is answered.
class SimulatedEpisodes {
 public:
  /// `servers`: places and seconds of each; they get URLs of their own. The scheduler knows the first `listed` of them.
  SimulatedEpisodes(std::vector<SimulatedServer> servers, double client_seconds, std::size_t listed,
                    const std::function<void(icpi::http::Options&)>& change = {})
      : options_(options_for(change)),
        wire_(placed(std::move(servers)), client_seconds),
        scheduler_(options_, capabilities_, {}, wire_, endpoints(listed),
                   [this](icpi::http::JobId id, icpi::Completion&& answer) { take(id, answer); }) {}

  static std::string base_url(std::size_t server) { return fmt::format("http://server-{}:80/v1", server); }

  /// The first so many servers, as the scheduler takes them; from `first` on.
  [[nodiscard]] std::vector<icpi::http::Endpoint> endpoints(std::size_t count, std::size_t first = 0) const {
    std::vector<icpi::http::Endpoint> list;
    for (std::size_t i = first; i < count; ++i) list.emplace_back(icpi::http::parse_base_url(base_url(i)), options_);
    return list;
  }

  /// Begins `episodes` that put `questions` a round, about as many prefixes.
  void begin(std::size_t episodes, std::size_t questions) {
    questions_ = questions;
    left_.assign(episodes, questions);
    for (std::size_t episode = 0; episode < episodes; ++episode) ask(episode);
  }

  /// Until so much time has passed on the made-up clock.
  void play(double seconds) {
    const auto until = wire_.now() + icpi::http::seconds_of(seconds);
    while (wire_.now() < until) {
      scheduler_.turn(until - wire_.now());
      for (const std::size_t episode : std::exchange(ready_, {})) ask(episode);
    }
  }

  /// The part of the servers' places that were at work, over `seconds` from now on.
  double busy(double seconds) {
    const double before = worked();
    play(seconds);
    double places = 0;
    for (const SimulatedServer& server : wire_.servers()) places += static_cast<double>(server.places);
    return (worked() - before) / (places * seconds);
  }

  SimulatedServers& wire() { return wire_; }
  icpi::http::Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] std::size_t answered() const { return answered_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }
  [[nodiscard]] const std::vector<std::string>& told() const { return told_; }

 private:
  icpi::http::Options options_for(const std::function<void(icpi::http::Options&)>& change) {
    icpi::http::Options options;
    options.model = "simulated";
    options.probe = false;
    options.learned = icpi::http::new_learned_request();
    options.notice = [this](std::string_view line) { told_.emplace_back(line); };
    if (change) change(options);
    return options;
  }

  static std::vector<SimulatedServer> placed(std::vector<SimulatedServer> servers) {
    for (std::size_t i = 0; i < servers.size(); ++i) servers[i].url = base_url(i) + "/completions";
    return servers;
  }

  [[nodiscard]] double worked() {
    double seconds = 0;
    for (const SimulatedServer& server : wire_.servers()) seconds += server.worked;
    return seconds;
  }

  void ask(std::size_t episode) {
    left_[episode] = questions_;
    for (std::size_t i = 0; i < questions_; ++i) {
      icpi::CompletionRequest request;
      request.prefix = {episode * questions_ + i + 1, "examples that a prefix is made of\n"};
      request.query = "assert state == 3";
      scheduler_.add(++last_job_ * left_.size() + episode, request);
    }
  }

  void take(icpi::http::JobId id, const icpi::Completion& answer) {
    ++(answer.error ? failed_ : answered_);
    const auto episode = static_cast<std::size_t>(id % left_.size());
    if (--left_[episode] == 0) ready_.push_back(episode);
  }

  std::vector<std::string> told_;
  icpi::http::Options options_;
  icpi::http::Capabilities capabilities_;
  SimulatedServers wire_;
  icpi::http::Scheduler scheduler_;
  std::size_t questions_ = 0;
  std::vector<std::size_t> left_;   ///< by episode: questions of its round that are not answered
  std::vector<std::size_t> ready_;  ///< episodes whose next round is due
  icpi::http::JobId last_job_ = 0;
  std::size_t answered_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace icpi_test
