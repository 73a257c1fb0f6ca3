// SPDX-License-Identifier: MIT
#include "batch_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/core/hash.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/models/completion_record.hpp"
#include "interrupt.hpp"
#include "parse.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

/// Names all questions in their order.
std::string fingerprint_of(std::span<const CompletionRequest> requests) {
  std::string all;
  for (const CompletionRequest& each : requests) all += fingerprint(each).str();
  return fmt::format("{:016x}", detail::fnv1a(all));
}

/// What becomes of a batch of other questions.
enum class OtherBatch : std::uint8_t { refused, forgotten };

/// The batch of these questions that the file names; nullopt: it names none.
std::optional<std::string> read_name(const std::string& file, const std::string& questions, OtherBatch other) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    const std::string text = read_file(file);
    if (text.empty()) return std::nullopt;
    const Json json = Json::parse(text);
    if (json["questions"].string() == questions) return json["batch"].string();
    if (other == OtherBatch::forgotten) return std::nullopt;
    throw InvalidArgument("its batch is one of other questions");
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("--batch '{}': {}", file, error.what()));
  }
}

/// Between two looks at a batch.
std::chrono::milliseconds pause_of(const BatchChoice& choice) {
  double seconds = 60;
  if (!choice.pause.empty() && (!parse_number(choice.pause, seconds) || seconds <= 0 || seconds > 86400))
    throw InvalidArgument(
        fmt::format("--batch-pause '{}' is not allowed; expected seconds, up to a day", choice.pause));
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

/// What the questions may take, as long as they are under way.
class BatchReservation {
 public:
  BatchReservation(BudgetAccount& account, std::span<const CompletionRequest> requests) : account_(account) {
    for (const CompletionRequest& each : requests) {
      const Reservation reservation = account.estimate(each);
      if (account.reserve(reservation) != BudgetAccount::Admission::granted)
        throw Error(fmt::format("the budget of {} has no room for a batch of {} questions; nothing was sent",
                                account.exhausted_limit(), requests.size()));
      open_.push_back(reservation);
    }
  }
  BatchReservation(const BatchReservation&) = delete;
  BatchReservation& operator=(const BatchReservation&) = delete;
  ~BatchReservation() { settle({}); }
  void settle(std::span<const Completion> answers) {
    for (std::size_t i = 0; i < open_.size(); ++i)
      account_.settle(open_[i], i < answers.size() ? answers[i].usage : Usage{});
    open_.clear();
  }

 private:
  BudgetAccount& account_;
  std::vector<Reservation> open_;
};

void wait_for(std::chrono::milliseconds pause, const std::string& file, std::string_view words) {
  using Clock = std::chrono::steady_clock;
  for (const auto until = Clock::now() + pause; Clock::now() < until;) {
    const auto left = until - Clock::now();
    Progress::waiting(fmt::format("the batch is {}", printable_line(words)),
                      std::chrono::duration<double>(left).count());
    if (interrupting_signal() != 0)
      throw Interrupted(
          fmt::format("interrupted; the batch goes on: the same command with --batch '{}' gets its answers", file));
    std::this_thread::sleep_for(std::min<Clock::duration>(left, std::chrono::milliseconds(100)));
  }
  Progress::waiting({}, 0);
}

/// The answers, after however long.
std::vector<Completion> exchange(BatchService& service, const BatchChoice& choice,
                                 std::span<const CompletionRequest> requests, OtherBatch other) {
  const std::string questions = fingerprint_of(requests);
  std::optional<std::string> name = read_name(choice.file, questions, other);
  if (!name) {
    write_file(choice.file, "");  // where the name cannot be kept, nothing is begun
    name = service.start(requests);
    JsonLine line;
    line.add("batch", *name).add("questions", questions);
    write_file(choice.file, line.str() + "\n");
  }
  for (BatchService::Look look = service.look(*name); !look.ended; look = service.look(*name)) {
    if (look.lost) {
      std::filesystem::remove(choice.file);
      throw Error(fmt::format("the batch is {}", look.words));
    }
    wait_for(pause_of(choice), choice.file, look.words);
  }
  std::vector<Completion> answers(requests.size());
  service.collect(*name, requests, answers);
  return answers;
}

/// See batched_models().
class BatchedModel {
 public:
  explicit BatchedModel(const ModelChoice& choice) : choice_(choice.batch), service_(make_batch_service(choice)) {}
  [[nodiscard]] std::string identity() const { return service_->identity(); }
  [[nodiscard]] Capabilities capabilities() const { return {.constrains_choices = service_->constrains_choices()}; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.empty()) return;
    std::vector<Completion> answers = exchange(*service_, choice_, requests, OtherBatch::forgotten);
    std::move(answers.begin(), answers.end(), completions.begin());
  }

 private:
  BatchChoice choice_;
  std::unique_ptr<BatchService> service_;
};

}  // namespace

std::vector<Completion> answers_of_batch(BatchService& service, BudgetAccount& account, const BatchChoice& choice,
                                         std::span<const CompletionRequest> requests) {
  (void)pause_of(choice);
  (void)read_name(choice.file, fingerprint_of(requests), OtherBatch::refused);
  BatchReservation reservation(account, requests);
  std::vector<Completion> answers = exchange(service, choice, requests, OtherBatch::refused);
  reservation.settle(answers);
  return answers;
}

ModelFactory batched_models(const ModelChoice& choice) {
  (void)pause_of(choice.batch);
  (void)make_batch_service(choice);
  return [choice] { return AnyLanguageModel(BatchedModel(choice)); };
}

}  // namespace icpi::program
