// SPDX-License-Identifier: MIT
#include "icpi/http/batch.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "choices.hpp"
#include "dialect.hpp"
#include "icpi/core/error.hpp"
#include "identity.hpp"
#include "server_words.hpp"
#include "settings.hpp"
#include "transport.hpp"

namespace icpi::http {

namespace {

using namespace std::chrono_literals;
using JsonValue = nlohmann::json;
using Next = HttpFailure::Next;

constexpr std::string_view boundary = "icpi-0d6f1c52b7a94e83";  // in no question: they are JSON on lines of their own
constexpr std::size_t largest_answer = std::size_t{1} << 30U;

Options batch_options(Options options) {
  options.probe = false;
  options.max_response_bytes = std::max(options.max_response_bytes, largest_answer);
  options.attempt_timeout = std::max<std::chrono::milliseconds>(options.attempt_timeout, 10min);  // files are large
  validate(options);
  if (options.dialect == Dialect::llama_native || options.dialect == Dialect::anthropic)
    throw InvalidArgument("http: batches are made of requests in the dialects completions, chat or responses");
  return options;
}

std::vector<std::string> with_line(std::vector<std::string> headers, std::string line) {
  headers.push_back(std::move(line));
  return headers;
}

std::string text_of(const JsonValue& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t count_of(const JsonValue& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// A name of the service's, as a part of a URL.
const std::string& checked_name(const std::string& name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
  if (!plain) throw Error("http: the batch service names something in a way that cannot be part of a URL");
  return name;
}

BatchProgress::State state_of(std::string_view status) {
  using enum BatchProgress::State;
  if (status == "failed") return lost;
  const bool over = status == "completed" || status == "expired" || status == "cancelled";
  return over ? ended : under_way;
}

CompletionError error_of(const Reading& reading) {
  const bool broken = reading.outcome == Reading::Outcome::broken_off;
  return {broken ? ErrorCategory::transport : ErrorCategory::invalid_request, "http: " + reading.problem, 0};
}

}  // namespace

class BatchClient::Implementation {
 public:
  explicit Implementation(Options options)
      : options_(batch_options(std::move(options))),
        settings_(read_settings(options_)),
        base_(parse_base_url(options_.base_urls.front())),
        dialect_(strategy(options_.dialect)),
        shape_(shape_of(options_.request)),
        plain_(options_, settings_.headers),
        upload_(options_,
                with_line(settings_.headers, fmt::format("Content-Type: multipart/form-data; boundary={}", boundary))) {
  }

  [[nodiscard]] std::string identity() const { return make_identity(options_, options_.model); }
  [[nodiscard]] std::string choices_problem() const { return find_choice_problem(options_, kind()); }

  std::string start(std::span<const CompletionRequest> requests) {
    if (requests.empty() || requests.size() > most_questions)
      throw InvalidArgument(
          fmt::format("http: a batch has 1 to {} questions, not {}", most_questions, requests.size()));
    const JsonValue file = exchange(upload_, "/files", upload_of(requests));
    const JsonValue wanted{
        {"input_file_id", checked_name(text_of(file, "id"))}, {"endpoint", route()}, {"completion_window", "24h"}};
    return checked_name(text_of(exchange(plain_, "/batches", wanted.dump()), "id"));
  }

  BatchProgress look(const std::string& name) {
    const JsonValue batch = exchange(plain_, "/batches/" + checked_name(name), std::nullopt);
    BatchProgress progress;
    const std::string status = text_of(batch, "status");
    progress.state = state_of(status);
    progress.words = shown_words(status, settings_.secrets);
    const JsonValue errors = batch.value("errors", JsonValue());
    if (errors.is_object()) {
      const ServerWords words = read_server_words(errors.value("data", errors), {});
      progress.words += ": " + shown_words(words.message, settings_.secrets);
    }
    if (batch.contains("request_counts") && batch["request_counts"].is_object()) {
      const JsonValue& counts = batch["request_counts"];
      progress.answered = count_of(counts, "completed") + count_of(counts, "failed");
      progress.total = count_of(counts, "total");
    }
    return progress;
  }

  void collect(const std::string& name, std::span<const CompletionRequest> requests,
               std::span<Completion> completions) {
    if (requests.size() != completions.size())
      throw InvalidArgument(fmt::format("http: collect() got {} requests and {} places for completions",
                                        requests.size(), completions.size()));
    for (std::size_t i = 0; i < requests.size(); ++i) {
      completions[i] = {};
      std::string fault = fault_of(requests[i]);
      const bool faulty = !fault.empty();
      completions[i].error = {faulty ? ErrorCategory::invalid_request : ErrorCategory::timeout,
                              "http: " + (faulty ? fault : "the batch ended without an answer to this question"), 0};
    }
    const JsonValue batch = exchange(plain_, "/batches/" + checked_name(name), std::nullopt);
    for (const char* file : {"output_file_id", "error_file_id"}) {
      const std::string id = text_of(batch, file);
      if (id.empty()) continue;
      const std::string lines = fetch(plain_, "/files/" + checked_name(id) + "/content", std::nullopt);
      for (std::string_view rest = lines; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        read_line(std::string(rest.substr(0, end)), requests, completions);
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
  }

 private:
  /// Where the questions would go one by one, as the service wants it named.
  [[nodiscard]] std::string route() const { return dialect_.url(base_).substr(base_.origin.size()); }

  [[nodiscard]] ServerKind kind() const noexcept {
    return options_.server == ServerKind::automatic ? ServerKind::generic : options_.server;
  }

  /// Why a question cannot be put; empty: it can.
  [[nodiscard]] std::string fault_of(const CompletionRequest& request) const {
    std::string fault = find_fault(request, options_);
    return fault.empty() ? find_choice_fault(options_, kind(), request.choices) : fault;
  }

  [[nodiscard]] std::string upload_of(std::span<const CompletionRequest> requests) const {
    std::string body = fmt::format(
        "--{0}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
        "--{0}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"questions.jsonl\"\r\n"
        "Content-Type: application/jsonl\r\n\r\n",
        boundary);
    const WireContext context{options_, options_.model, shape_, kind(), std::nullopt};
    const std::string to = JsonValue(route()).dump();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (!fault_of(requests[i]).empty()) continue;
      const CompletionRequest* request = &requests[i];
      body += fmt::format(R"({{"custom_id":"{}","method":"POST","url":{},"body":)", i, to);
      dialect_.write(context, {&request, 1}, body);
      body += "}\n";
    }
    return body + fmt::format("\r\n--{}--\r\n", boundary);
  }

  /// One line of a file of answers. What is not as agreed is left out: its question stays without an answer.
  void read_line(const std::string& line, std::span<const CompletionRequest> requests,
                 std::span<Completion> completions) const {
    const JsonValue entry = parse_answer(line);
    if (!entry.is_object()) return;
    const std::string id = text_of(entry, "custom_id");
    std::size_t index = requests.size();
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), index);
    if (error != std::errc{} || end != id.data() + id.size() || index >= requests.size()) return;
    completions[index] = completion_of(entry, requests[index]);
  }

  [[nodiscard]] Completion completion_of(const JsonValue& entry, const CompletionRequest& request) const {
    Completion failed;
    const JsonValue nothing = JsonValue::object();
    const JsonValue& response =
        entry.contains("response") && entry["response"].is_object() ? entry["response"] : nothing;
    const auto status = static_cast<long>(count_of(response, "status_code"));
    const JsonValue& body = response.contains("body") ? response["body"] : nothing;
    if (status < 200 || status >= 300 || is_error(body)) {
      const JsonValue& said = status == 0 ? entry : body;
      failed.error = judge_status(status < 400 ? 500 : status,
                                  said.dump(-1, ' ', false, JsonValue::error_handler_t::replace), settings_.secrets)
                         .error;
      failed.error.message = "http: " + failed.error.message;
      return failed;
    }
    Reading reading;
    const CompletionRequest* asked = &request;
    dialect_.read(body, {&asked, 1}, {&reading, 1});
    if (reading.outcome != Reading::Outcome::answer) {
      failed.usage = reading.completion.usage;
      failed.error = error_of(reading);
      failed.error.message = redacted(failed.error.message, settings_.secrets);
      return failed;
    }
    reading.completion.text = redacted(std::move(reading.completion.text), settings_.secrets);
    reading.completion.thought = redacted(std::move(reading.completion.thought), settings_.secrets);
    return std::move(reading.completion);
  }

  JsonValue exchange(Transport& transport, const std::string& route, const std::optional<std::string>& body) {
    JsonValue answer = parse_answer(fetch(transport, route, body));
    if (!answer.is_object()) throw Error(fmt::format("http: {}{}: the answer is no object", base_.text(), route));
    return answer;
  }

  /// One exchange; what may pass is tried again as long as that cannot make a second batch.
  std::string fetch(Transport& transport, const std::string& route, const std::optional<std::string>& body) {
    const auto began = Clock::now();
    for (int failures = 0;;) {
      TransferResult result = transfer(transport, base_.text() + route + settings_.query, body);
      if (result.code == CURLE_OK && result.status >= 200 && result.status < 300) return std::move(result.body);
      const HttpFailure failure = result.code == CURLE_OK
                                      ? judge_status(result.status, result.body, settings_.secrets)
                                      : HttpFailure{{ErrorCategory::transport, result.error, 0}, Next::retry};
      const bool refused = failure.next == Next::come_later || never_reached(result);
      const bool again = refused || (failure.next == Next::retry && !body);
      const auto pause =
          std::max(seconds_of(result.retry_after_seconds), Clock::duration(options_.retries.first_backoff));
      const bool patient = Clock::now() + pause - began < options_.retries.patience;
      if (!again || !patient || (!refused && ++failures >= options_.retries.attempts))
        throw Error(
            redacted(fmt::format("http: {}{}: {}", base_.text(), route, failure.error.message), settings_.secrets));
      wait(transport, pause);
    }
  }

  TransferResult transfer(Transport& transport, const std::string& url, const std::optional<std::string>& body) {
    const TransferId id = transport.start(url, body);
    const auto deadline = Clock::now() + options_.attempt_timeout;
    std::vector<TransferResult> ended;
    while (ended.empty()) {
      transport.run(100ms, ended);
      const bool late = Clock::now() > deadline;
      if (!ended.empty() || !(late || is_interrupted())) continue;
      transport.abort(id);
      throw Error(late ? fmt::format("http: {}: no answer within {} s", base_.text(),
                                     in_seconds(Clock::duration(options_.attempt_timeout)))
                       : "http: interrupted");
    }
    return std::move(ended.front());
  }

  void wait(Transport& transport, Clock::duration time) {
    std::vector<TransferResult> none;
    for (const auto until = Clock::now() + time; Clock::now() < until;) {
      if (is_interrupted()) throw Error("http: interrupted");
      transport.run(std::min<Clock::duration>(100ms, until - Clock::now()), none);
    }
  }

  [[nodiscard]] bool is_interrupted() const { return options_.interrupted && options_.interrupted(); }

  const Options options_;
  const WireSettings settings_;
  const BaseUrl base_;
  const DialectStrategy& dialect_;
  const BodyShape shape_;
  Transport plain_;
  Transport upload_;
};

BatchClient::BatchClient(Options options) : implementation_(std::make_unique<Implementation>(std::move(options))) {}
BatchClient::BatchClient(BatchClient&&) noexcept = default;
BatchClient& BatchClient::operator=(BatchClient&&) noexcept = default;
BatchClient::~BatchClient() = default;

std::string BatchClient::identity() const { return implementation_->identity(); }
std::string BatchClient::choices_problem() const { return implementation_->choices_problem(); }
std::string BatchClient::start(std::span<const CompletionRequest> requests) { return implementation_->start(requests); }
BatchProgress BatchClient::look(const std::string& name) { return implementation_->look(name); }
void BatchClient::collect(const std::string& name, std::span<const CompletionRequest> requests,
                          std::span<Completion> completions) {
  implementation_->collect(name, requests, completions);
}

}  // namespace icpi::http
