// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/thread_team.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/induction/generator.hpp"
#include "icpi/models/induction/prefix_state.hpp"

namespace icpi {

/// @cond internals

/// What InductionModel is made of: states of prefixes, and the work of a batch divided by prefix.
class InductionModel::Batches {
 public:
  explicit Batches(const InductionOptions& options)
      : options_(options), team_(std::make_unique<ThreadTeam>(checked(options).threads)) {
    for (std::size_t i = 0; i < options.threads; ++i) generators_.push_back(std::make_unique<induction::Generator>());
  }

  [[nodiscard]] InductionVersion version() const noexcept { return options_.version; }

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size())
      throw InvalidArgument("InductionModel::complete: as many completions as requests are needed");
    begin_batch();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      Completion& completion = completions[i];
      completion.text.clear();
      completion.tokens.clear();
      completion.finish = FinishReason::error;
      completion.usage = {};
      completion.error = check_sampling(requests[i].sampling);
      if (!completion.error) assign(requests[i].prefix, requests[i].query, i);
    }
    work([&](induction::Generator& generator, const Group& group) {
      for (const Item& item : group.items) {
        Completion& completion = completions[item.number];
        CompletionRequest request = requests[item.number];
        request.query = item.query;
        generator.complete(*group.state, request, completion);
        completion.usage.cached_tokens = item.cached ? group.state->index().counted() : group.cached;
      }
    });
  }

  void recall(std::span<const CompletionRequest> requests) {
    begin_batch();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto& request = requests[i];
      if (request.prefix.identity != 0 && !check_sampling(request.sampling)) assign(request.prefix, request.query, i);
    }
    std::erase_if(groups_, [](const Group& group) { return group.prefix.identity == 0; });  // nothing is kept of those
    work([](induction::Generator&, const Group&) {});
  }

  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) {
    if (requests.size() != scores.size())
      throw InvalidArgument("InductionModel::score: as many scores as requests are needed");
    begin_batch();
    for (std::size_t i = 0; i < requests.size(); ++i) assign(requests[i].prefix, requests[i].query, i);
    work([&](induction::Generator& generator, const Group& group) {
      for (const Item& item : group.items) {
        ScoreRequest request = requests[item.number];
        request.query = item.query;
        Scores& result = scores[item.number];
        result.logprobs.clear();
        result.error = {};
        result.usage = {};
        generator.score(*group.state, request, result);
        result.usage.cached_tokens = item.cached ? group.state->index().counted() : group.cached;
      }
    });
  }

 private:
  struct Kept {
    std::uint64_t identity = 0;
    std::unique_ptr<induction::PrefixState> state;
  };
  struct Item {
    std::size_t number = 0;
    std::string_view query;
    bool cached = false;  ///< an earlier item of the batch read the prefix
  };
  /// Requests with one prefix: answered one after the other.
  struct Group {
    PromptPrefix prefix;
    induction::PrefixState* state = nullptr;
    std::unique_ptr<induction::PrefixState> own;
    std::vector<Item> items;
    std::uint64_t cached = 0;
  };

  static const InductionOptions& checked(const InductionOptions& options) {
    if (options.version != InductionVersion::first && options.version != InductionVersion::calibrated)
      throw InvalidArgument("InductionOptions::version must be first or calibrated");
    if (options.threads == 0 || options.threads > 1024)
      throw InvalidArgument("InductionOptions::threads must be 1 .. 1024");
    return options;
  }

  void begin_batch() {
    groups_.clear();
    joined_.clear();
  }

  /// Puts a request into the group of its prefix. Complete records in a query belong to what is learned from, wherever
  /// the caller split the prompt.
  void assign(const PromptPrefix& prefix, std::string_view query, std::size_t number) {
    const std::size_t last = query.rfind("\n\n");
    if (last == std::string_view::npos) return group(prefix, query, number);
    const std::string& joined = joined_.emplace_back(prefix.text).append(query.substr(0, last + 2));
    group({0, joined}, query.substr(last + 2), number);
  }

  void group(const PromptPrefix& prefix, std::string_view query, std::size_t number) {
    const auto same = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
      return group.prefix.identity == prefix.identity && group.prefix.text.size() == prefix.text.size() &&
             (group.prefix.text.data() == prefix.text.data() || group.prefix.text == prefix.text);
    });
    if (same != groups_.end()) {
      same->items.push_back({number, query, true});
      return;
    }
    Group& added = groups_.emplace_back();
    added.prefix = prefix;
    added.items.push_back({number, query, false});
  }

  [[nodiscard]] std::unique_ptr<induction::PrefixState> new_state() const {
    auto state = std::make_unique<induction::PrefixState>();
    state->calibrate(options_.version == InductionVersion::calibrated);
    return state;
  }

  /// Gives every group a state: the kept one to the longest prefix of an identity.
  void provide_states() {
    for (Group& group : groups_) {
      const bool longest = group.prefix.identity != 0 && options_.kept_prefixes > 0 &&
                           std::none_of(groups_.begin(), groups_.end(), [&](const Group& other) {
                             return other.prefix.identity == group.prefix.identity &&
                                    (other.prefix.text.size() > group.prefix.text.size() ||
                                     (&other < &group && other.prefix.text.size() == group.prefix.text.size()));
                           });
      if (longest) group.state = keep(group.prefix);
      if (group.state == nullptr) {
        group.own = new_state();
        group.state = group.own.get();
      }
      group.cached = group.state->index().counted();
    }
  }

  /// The kept state that can be extended to this prefix; null if a longer one is kept already.
  induction::PrefixState* keep(const PromptPrefix& prefix) {
    auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.identity == prefix.identity; });
    if (found == kept_.end()) {
      if (kept_.size() >= std::max(options_.kept_prefixes, groups_.size())) kept_.pop_back();
      kept_.push_front({prefix.identity, new_state()});
      return kept_.front().state.get();
    }
    kept_.splice(kept_.begin(), kept_, found);
    induction::PrefixState& state = *kept_.front().state;
    const std::string& known = state.index().text();
    if (known.size() > prefix.text.size() && std::string_view(known).starts_with(prefix.text)) return nullptr;
    if (!prefix.text.starts_with(known)) state.clear();
    return &state;
  }

  template <class Answer>
  void work(const Answer& answer) {
    provide_states();
    team_->for_each(groups_.size(), [&](std::size_t number, std::size_t worker) {
      Group& group = groups_[number];
      group.state->extend(group.prefix.text);
      answer(*generators_[worker], group);
    });
    groups_.clear();
    while (kept_.size() > options_.kept_prefixes) kept_.pop_back();
  }

  InductionOptions options_;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<std::unique_ptr<induction::Generator>> generators_;
  std::list<Kept> kept_;  ///< most recently used first
  std::vector<Group> groups_;
  std::deque<std::string> joined_;  ///< prefixes put together for this batch; a deque: groups hold views
};

/// @endcond

}  // namespace icpi
