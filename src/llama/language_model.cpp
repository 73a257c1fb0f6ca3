// SPDX-License-Identifier: MIT
#include "icpi/llama/language_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <utility>

#include "icpi/core/error.hpp"
#include "scheduler.hpp"

namespace icpi::llama {

namespace {

std::string make_identity(const Options& options, const LoadedModel& model) {
  if (!options.identity.empty()) return options.identity;
  std::string identity = fmt::format("llama {} {} kv {}", std::filesystem::path(options.model_path).filename().string(),
                                     model.fingerprint(), name(options.kv_type));
  if (options.style == PromptStyle::turns) identity += " in turns";
  if (options.style == PromptStyle::turns && options.instruction != turns_instruction)
    identity += fmt::format(" told '{}'", options.instruction);
  return identity;
}

std::string_view words_for(ChatTemplate chat) {
  switch (chat) {
    case ChatTemplate::none: return "no template in the file: a base model, which continues texts";
    case ChatTemplate::known: return "a template in the file: a model for conversations, style turns may suit it";
    case ChatTemplate::unknown: return "a template in the file that libllama does not know";
  }
  return "";
}

}  // namespace

class LlamaLanguageModel::Implementation {
 public:
  explicit Implementation(Options options)
      : options_(std::move(options)), model_(options_), scheduler_(options_, model_, [this](Job& job) { take(job); }) {}

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    require_equal("complete", requests.size(), completions.size());
    const BatchGuard guard(*this, requests.size());
    batch_.completions = completions;
    for (const CompletionRequest& request : requests) scheduler_.add(std::make_unique<Job>(next_job_++, request));
    while (batch_.left > 0) scheduler_.turn();
  }

  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) {
    require_equal("score", requests.size(), scores.size());
    const BatchGuard guard(*this, requests.size());
    batch_.scores = scores;
    for (const ScoreRequest& request : requests) scheduler_.add(std::make_unique<Job>(next_job_++, request));
    while (batch_.left > 0) scheduler_.turn();
  }

  void submit(const CompletionRequest& request, Ticket ticket) {
    if (jobs_.contains(ticket)) throw InvalidArgument(fmt::format("llama: ticket {} is already under way", ticket));
    const JobId id = next_job_++;
    jobs_.emplace(ticket, id);
    tickets_.emplace(id, ticket);
    scheduler_.add(std::make_unique<Job>(id, request));
  }

  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    if (finished.empty()) return 0;
    const auto deadline = Clock::now() + std::clamp<std::chrono::milliseconds>(wait, std::chrono::milliseconds::zero(),
                                                                               std::chrono::hours(24));
    while (done_.empty() && !tickets_.empty()) {
      scheduler_.turn();
      if (Clock::now() >= deadline) break;
    }
    std::size_t count = 0;
    for (; count < finished.size() && !done_.empty(); ++count) {
      std::swap(finished[count], done_.front());
      done_.pop_front();
      jobs_.erase(finished[count].ticket);
    }
    return count;
  }

  void cancel(Ticket ticket) {
    const auto found = jobs_.find(ticket);
    if (found != jobs_.end()) scheduler_.cancel(found->second);
  }

  [[nodiscard]] std::size_t count_tokens(std::string_view text) const { return PromptTokenizer(model_).count(text); }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] const LoadedModel& model() const noexcept { return model_; }
  [[nodiscard]] Statistics statistics() const { return scheduler_.statistics(); }

 private:
  /// The running complete() or score(): its jobs are numbered from `first` on.
  struct Batch {
    JobId first = 0;
    std::size_t size = 0;
    std::size_t left = 0;
    std::span<Completion> completions;
    std::span<Scores> scores;
  };
  /// Leaves nothing under way that would write into the batch after an exception.
  class BatchGuard {
   public:
    BatchGuard(Implementation& model, std::size_t size) : model_(model) {
      model_.batch_ = {model_.next_job_, size, size, {}, {}};
    }
    BatchGuard(const BatchGuard&) = delete;
    BatchGuard& operator=(const BatchGuard&) = delete;
    ~BatchGuard() {
      for (JobId id = model_.batch_.first; model_.batch_.left > 0 && id < model_.next_job_; ++id)
        model_.scheduler_.cancel(id);
      model_.batch_ = {};
    }

   private:
    Implementation& model_;
  };

  static void require_equal(std::string_view function, std::size_t requests, std::size_t places) {
    if (requests != places)
      throw InvalidArgument(fmt::format("llama: {}() got {} requests and {} places", function, requests, places));
  }

  void take(Job& job) {
    const bool in_batch = job.id >= batch_.first && job.id - batch_.first < batch_.size;
    if (in_batch) {
      const auto at = static_cast<std::size_t>(job.id - batch_.first);
      if (!batch_.completions.empty()) batch_.completions[at] = std::move(job.completion);
      if (!batch_.scores.empty())
        batch_.scores[at] = {std::move(job.logprobs), job.completion.usage, job.completion.error};
      --batch_.left;
      return;
    }
    const auto found = tickets_.find(job.id);
    if (found == tickets_.end()) return;  // of a complete() that an exception ended
    done_.push_back({found->second, std::move(job.completion)});
    tickets_.erase(found);
  }

  const Options options_;
  LoadedModel model_;
  Scheduler scheduler_;
  JobId next_job_ = 1;
  Batch batch_;
  std::unordered_map<JobId, Ticket> tickets_;  ///< submissions under way
  std::unordered_map<Ticket, JobId> jobs_;     ///< submissions not collected
  std::deque<FinishedCompletion> done_;
};

LlamaLanguageModel::LlamaLanguageModel(Options options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
LlamaLanguageModel::LlamaLanguageModel(LlamaLanguageModel&&) noexcept = default;
LlamaLanguageModel& LlamaLanguageModel::operator=(LlamaLanguageModel&&) noexcept = default;
LlamaLanguageModel::~LlamaLanguageModel() = default;

void LlamaLanguageModel::complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
  implementation_->complete(requests, completions);
}
void LlamaLanguageModel::score(std::span<const ScoreRequest> requests, std::span<Scores> scores) {
  implementation_->score(requests, scores);
}
void LlamaLanguageModel::submit(const CompletionRequest& request, Ticket ticket) {
  implementation_->submit(request, ticket);
}
std::size_t LlamaLanguageModel::collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
  return implementation_->collect(finished, wait);
}
void LlamaLanguageModel::cancel(Ticket ticket) { implementation_->cancel(ticket); }

std::size_t LlamaLanguageModel::count_tokens(std::string_view text) { return implementation_->count_tokens(text); }
std::size_t LlamaLanguageModel::context_limit() const noexcept { return capabilities().context; }
std::size_t LlamaLanguageModel::concurrency() const noexcept { return implementation_->options().concurrency; }
std::string LlamaLanguageModel::identity() const {
  return make_identity(implementation_->options(), implementation_->model());
}
const Capabilities& LlamaLanguageModel::capabilities() const noexcept {
  return implementation_->model().capabilities();
}
Statistics LlamaLanguageModel::statistics() const { return implementation_->statistics(); }

std::string describe(const Capabilities& capabilities) {
  constexpr double mebibyte = 1U << 20U;
  const auto mib = [&](std::uint64_t bytes) { return static_cast<double>(bytes) / mebibyte; };
  std::string text = fmt::format("model          {}\n", capabilities.name.empty() ? "unnamed" : capabilities.name);
  text += fmt::format("file           {}\n", capabilities.file);
  text += fmt::format("architecture   {} ({})\n", capabilities.architecture, capabilities.description);
  text +=
      fmt::format("context        {} tokens (trained for {})\n", capabilities.context, capabilities.trained_context);
  text += fmt::format("chat           {}\n", words_for(capabilities.chat));
  text += fmt::format("vocabulary     {} tokens\n", capabilities.vocabulary);
  text += fmt::format("parameters     {:.1f} million\n", static_cast<double>(capabilities.parameters) / 1e6);
  text += fmt::format("weights        {:.1f} MiB\n", mib(capabilities.weight_bytes));
  const std::uint64_t for_tokens = capabilities.kv_bytes - capabilities.states * capabilities.state_bytes;
  if (capabilities.kv_bytes_per_token > 0)
    text += fmt::format("keys, values   {:.1f} MiB for {} tokens ({} bytes a token)\n", mib(for_tokens),
                        for_tokens / capabilities.kv_bytes_per_token, capabilities.kv_bytes_per_token);
  if (capabilities.state_bytes > 0)
    text +=
        fmt::format("states         {:.2f} MiB each, {} in that memory; a wrong guess computes its question again\n",
                    mib(capabilities.state_bytes), capabilities.states);
  text += fmt::format("libllama       {} on {}\n", capabilities.library, capabilities.devices);
  return text;
}

}  // namespace icpi::llama
