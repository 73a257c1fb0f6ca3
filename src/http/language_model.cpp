// SPDX-License-Identifier: MIT
#include "icpi/http/language_model.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adaptation.hpp"
#include "choices.hpp"
#include "endpoints_file.hpp"
#include "fields.hpp"
#include "icpi/core/error.hpp"
#include "identity.hpp"
#include "probe.hpp"
#include "scheduler.hpp"
#include "settings.hpp"

namespace icpi::http {

namespace {

/// Fills in what is known without asking.
ServerDescription unprobed(const Options& options, const BaseUrl& base) {
  ServerDescription server;
  server.base_url = base.text();
  server.kind = options.server == ServerKind::automatic ? ServerKind::generic : options.server;
  return server;
}

}  // namespace

class HttpLanguageModel::Implementation {
 public:
  explicit Implementation(Options options) : file_(file_of(options)), options_(checked(std::move(options), file_)) {
    WireSettings settings = read_settings(options_);
    transport_.emplace(options_, settings.headers);
    std::vector<Endpoint> endpoints;
    for (const std::string& url : options_.base_urls) {
      Endpoint& endpoint = endpoints.emplace_back(parse_base_url(url), options_);
      endpoint.description = unprobed(options_, endpoint.base);
    }
    if (bounds_thought(options_) && !shape_of(options_.request).sent_name("temperature").empty())
      once_told()("http: beside a bounded thought the service takes neither temperature nor top_p: they are not sent");
    if (options_.probe) probe_servers(endpoints, settings);
    for (const Endpoint& endpoint : endpoints) capabilities_.servers.push_back(endpoint.description);
    capabilities_.dialect = options_.dialect;
    capabilities_.model =
        options_.probe ? settle_model(options_.model, capabilities_.servers, once_told()) : options_.model;
    capabilities_.prompt_arrays = strategy(options_.dialect).prompt_arrays();
    for (const ServerDescription& server : capabilities_.servers) {
      if (capabilities_.choices_problem.empty())
        capabilities_.choices_problem = find_choice_problem(options_, server.kind);
    }
    capabilities_.gives_logprobs = options_.logprobs;
    capabilities_.choices = capabilities_.constrains_choices = capabilities_.choices_problem.empty();
    scheduler_.emplace(options_, capabilities_, std::move(settings), *transport_, std::move(endpoints),
                       [this](JobId id, Completion&& completion) { deliver(id, std::move(completion)); });
  }

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size()) {
      throw InvalidArgument(fmt::format("http: complete() got {} requests and {} places for completions",
                                        requests.size(), completions.size()));
    }
    const JobId first = next_job_;
    const JobId last = first + requests.size();
    next_job_ = last;
    batch_ = {first, completions, requests.size()};
    const BatchGuard guard{*this, first, last};
    for (std::size_t i = 0; i < requests.size(); ++i) scheduler_->add(first + i, requests[i]);
    while (batch_.left > 0) turn(std::chrono::hours(1));
  }

  void submit(const CompletionRequest& request, Ticket ticket) {
    if (jobs_.contains(ticket)) throw InvalidArgument(fmt::format("http: ticket {} is already under way", ticket));
    const JobId id = next_job_++;
    jobs_.emplace(ticket, id);
    tickets_.emplace(id, ticket);
    scheduler_->add(id, request);
  }

  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    if (finished.empty()) return 0;
    const auto deadline = Clock::now() + std::clamp<std::chrono::milliseconds>(wait, std::chrono::milliseconds::zero(),
                                                                               std::chrono::hours(24));
    while (!tickets_.empty()) {
      const auto left = done_.empty() ? deadline - Clock::now() : Clock::duration::zero();
      turn(std::max(left, Clock::duration::zero()));
      if (!done_.empty() || left <= Clock::duration::zero()) break;
    }
    std::size_t count = 0;
    for (; count < finished.size() && !done_.empty(); ++count) {
      finished[count] = std::move(done_.front());
      done_.pop_front();
      jobs_.erase(finished[count].ticket);
    }
    return count;
  }

  void cancel(Ticket ticket) {
    const auto found = jobs_.find(ticket);
    if (found != jobs_.end()) scheduler_->cancel(found->second);
  }

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] std::size_t endpoints() const noexcept { return scheduler_->endpoints(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept { return capabilities_; }
  [[nodiscard]] Statistics statistics() const { return scheduler_->statistics(); }
  [[nodiscard]] std::string identity() const { return make_identity(options_, capabilities_.model); }

 private:
  struct Batch {
    JobId first = 0;
    std::span<Completion> completions;
    std::size_t left = 0;
  };
  /// Leaves nothing under way that would write into the batch after complete() was left by an exception.
  struct BatchGuard {
    Implementation& model;
    JobId first;
    JobId last;
    ~BatchGuard() {
      if (model.batch_.left > 0) {
        for (JobId id = first; id < last; ++id) model.scheduler_->cancel(id);
      }
      model.batch_ = {};
    }
  };

  static std::optional<EndpointsFile> file_of(const Options& options) {
    return options.endpoints_file.empty() ? std::nullopt : std::optional<EndpointsFile>(options.endpoints_file);
  }

  void turn(Clock::duration wait) {
    watch_endpoints();
    scheduler_->turn(file_ ? std::min<Clock::duration>(wait, std::chrono::seconds(1)) : wait);
  }

  /// Servers that are added are not asked who they are: they are taken for what the others are.
  void watch_endpoints() {
    if (!file_) return;
    try {
      const auto urls = file_->changed(Clock::now());
      if (!urls) return;
      std::vector<Endpoint> listed;
      for (const std::string& url : *urls) {
        Endpoint& endpoint = listed.emplace_back(parse_base_url(url), options_);
        endpoint.description.kind = capabilities_.servers.front().kind;
      }
      scheduler_->set_endpoints(std::move(listed));
    } catch (const InvalidArgument& error) {
      if (options_.notice) options_.notice(fmt::format("http: {}; the servers stay as they are", error.what()));
    }
  }

  /// Goes on without those that are away, as long as one is there; they are taken for servers of its kind.
  void probe_servers(std::vector<Endpoint>& endpoints, const WireSettings& settings) {
    const ServerDescription* present = nullptr;
    std::exception_ptr problem;
    for (Endpoint& endpoint : endpoints) {
      try {
        endpoint.description = probe_server(*transport_, options_, endpoint.base, settings);
        if (present == nullptr) present = &endpoint.description;
      } catch (const ServerAway& error) {
        if (!problem) problem = std::current_exception();
        endpoint.down_since = Clock::now();
        if (endpoints.size() > 1 && options_.notice) options_.notice(error.what());
      }
    }
    if (present == nullptr) std::rethrow_exception(problem);
    for (Endpoint& endpoint : endpoints) {
      if (endpoint.down_since) endpoint.description.kind = present->kind;
    }
  }

  /// Models that share what was learned do not repeat each other.
  [[nodiscard]] std::function<void(std::string_view)> once_told() const {
    return [this](std::string_view line) {
      if (options_.notice && options_.learned->is_news(std::string(line))) options_.notice(line);
    };
  }

  static Options checked(Options options, std::optional<EndpointsFile>& file) {
    if (file) options.base_urls = file->read();
    validate(options);
    if (!options.learned) options.learned = new_learned_request();
    return options;
  }

  void deliver(JobId id, Completion&& completion) {
    if (id >= batch_.first && id - batch_.first < batch_.completions.size()) {
      batch_.completions[id - batch_.first] = std::move(completion);
      --batch_.left;
      return;
    }
    const auto found = tickets_.find(id);
    done_.push_back({found->second, std::move(completion)});
    tickets_.erase(found);
  }

  std::optional<EndpointsFile> file_;
  const Options options_;
  Capabilities capabilities_;
  std::optional<Transport> transport_;
  std::optional<Scheduler> scheduler_;
  JobId next_job_ = 1;
  Batch batch_;                                ///< the running complete()
  std::unordered_map<JobId, Ticket> tickets_;  ///< submissions under way
  std::unordered_map<Ticket, JobId> jobs_;     ///< submissions not collected
  std::deque<FinishedCompletion> done_;
};

HttpLanguageModel::HttpLanguageModel(Options options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
HttpLanguageModel::HttpLanguageModel(HttpLanguageModel&&) noexcept = default;
HttpLanguageModel& HttpLanguageModel::operator=(HttpLanguageModel&&) noexcept = default;
HttpLanguageModel::~HttpLanguageModel() = default;

void HttpLanguageModel::complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
  implementation_->complete(requests, completions);
}

void HttpLanguageModel::submit(const CompletionRequest& request, Ticket ticket) {
  implementation_->submit(request, ticket);
}

std::size_t HttpLanguageModel::collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
  return implementation_->collect(finished, wait);
}

void HttpLanguageModel::cancel(Ticket ticket) { implementation_->cancel(ticket); }

std::size_t HttpLanguageModel::concurrency() const noexcept {
  const Options& options = implementation_->options();
  return options.concurrency * implementation_->endpoints() * options.prompts_per_request;
}

std::size_t HttpLanguageModel::context_limit() const noexcept {
  std::size_t smallest = 0;
  for (const ServerDescription& server : capabilities().servers) {
    if (server.context_limit == 0) continue;
    smallest = smallest == 0 ? server.context_limit : std::min(smallest, server.context_limit);
  }
  return smallest;
}

std::string HttpLanguageModel::identity() const { return implementation_->identity(); }
const Capabilities& HttpLanguageModel::capabilities() const noexcept { return implementation_->capabilities(); }
Statistics HttpLanguageModel::statistics() const { return implementation_->statistics(); }

ChoiceConstrainedHttpModel::ChoiceConstrainedHttpModel(Options options)
    : ChoiceConstrainedHttpModel(HttpLanguageModel(std::move(options))) {}

ChoiceConstrainedHttpModel::ChoiceConstrainedHttpModel(HttpLanguageModel model) : HttpLanguageModel(std::move(model)) {
  if (capabilities().choices) return;
  throw Error(fmt::format("http: {}: the model '{}' cannot be held to a list of choices: {}",
                          capabilities().servers.front().base_url, capabilities().model,
                          capabilities().choices_problem));
}

std::string describe(const Capabilities& capabilities) {
  const auto yes_or_no = [](bool flag) { return flag ? "yes" : "no"; };
  std::string text =
      fmt::format("model          {}\ndialect        {}\nprompt arrays  {}\nchoices        {}", capabilities.model,
                  name(capabilities.dialect), yes_or_no(capabilities.prompt_arrays), yes_or_no(capabilities.choices));
  text += (capabilities.choices_problem.empty() ? "" : ": ") + capabilities.choices_problem + "\n";
  for (const ServerDescription& server : capabilities.servers) {
    text += fmt::format("server         {} ({}", server.base_url, server.probed ? name(server.kind) : "not asked");
    if (!server.build.empty()) text += " " + server.build;
    text += ")";
    if (server.context_limit > 0) text += fmt::format(", context {} tokens", server.context_limit);
    if (server.slots > 0) text += fmt::format(", {} slots", server.slots);
    if (!server.models.empty()) text += fmt::format(", models: {}", fmt::join(server.models, ", "));
    text += "\n";
  }
  return text;
}

}  // namespace icpi::http
