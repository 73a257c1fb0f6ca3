// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/oracle_server.hpp"

namespace icpi_test {

/// A batch service on 127.0.0.1, as OpenAI's, with an oracle of the chain behind it, which answers single questions too.
/// The first batches end at once; from then on a batch is under way until finish() was called. Thread-safe.
class BatchServer {
 public:
  /// So many end at once.
  explicit BatchServer(std::size_t ended = 0)
      : ended_(ended), server_([this](const HttpRequest& request) { return answer(request); }) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  void finish(const std::string& status = "completed") {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  [[nodiscard]] std::size_t batches() {
    const std::lock_guard lock(mutex_);
    return batches_.size();
  }
  /// How often somebody looked how far a batch was that was under way.
  [[nodiscard]] int looks() {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  [[nodiscard]] std::string complaints() {
    const std::lock_guard lock(mutex_);
    return complaints_;
  }

 private:
  using json = nlohmann::json;
  static constexpr std::string_view batch_route = "/v1/batches/";

  static HttpReply reply_of(const json& body, int status = 200) {
    HttpReply reply;
    reply.status = status;
    reply.body = body.dump();
    return reply;
  }
  HttpReply refuse(const std::string& words) {
    complaints_ += words + "\n";
    return reply_of({{"error", {{"message", words}, {"type", "invalid_request_error"}}}}, 400);
  }

  HttpReply answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    const bool post = request.method == "POST";
    if (post && request.path == "/v1/files") return take_file(request);
    if (post && request.path == "/v1/batches") return take_batch(request);
    if (request.path.starts_with(batch_route)) return tell(request.path.substr(batch_route.size()));
    if (request.path.starts_with("/v1/files/answers-")) return hand_out(request.path);
    if (request.path == (post ? "/v1/completions" : "/v1/models")) return oracle_(request);
    return refuse("no route " + request.path);
  }

  /// The second part of a form with a purpose and a file.
  HttpReply take_file(const HttpRequest& request) {
    const std::size_t named = request.headers.find("boundary=");
    if (named == std::string::npos) return refuse("no form");
    const std::size_t end = request.headers.find("\r\n", named);
    const std::string border = "--" + request.headers.substr(named + 9, end - named - 9);
    const std::string& body = request.body;
    if (body.find("name=\"purpose\"\r\n\r\nbatch\r\n" + border) == std::string::npos) return refuse("no purpose");
    const std::size_t part = body.find("name=\"file\"; filename=");
    const std::size_t begin = body.find("\r\n\r\n", part);
    const std::size_t last = body.find("\r\n" + border + "--\r\n", begin);
    if (part == std::string::npos || begin == std::string::npos || last == std::string::npos) return refuse("no file");
    const std::string name = "file-" + std::to_string(files_.size() + 1);
    files_[name] = body.substr(begin + 4, last - begin - 4);
    return reply_of({{"id", name}, {"object", "file"}, {"purpose", "batch"}});
  }

  HttpReply take_batch(const HttpRequest& request) {
    const json asked = json::parse(request.body, nullptr, false);
    const bool right = asked.is_object() && asked.size() == 3 && files_.contains(asked.value("input_file_id", "")) &&
                       asked.value("endpoint", "") == "/v1/completions" &&
                       asked.value("completion_window", "") == "24h";
    if (!right) return refuse("bad batch " + request.body);
    batches_.push_back({asked["input_file_id"], ""});
    return reply_of({{"id", name_of(batches_.size())}, {"object", "batch"}, {"status", "validating"}});
  }

  static std::string name_of(std::size_t number) { return "batch_" + std::to_string(number); }

  HttpReply tell(const std::string& name) {
    std::size_t number = batches_.size();
    while (number > 0 && name_of(number) != name) --number;
    if (number == 0) return refuse("no batch " + name);
    const std::string status = number <= ended_ ? "completed" : status_;
    if (status == "in_progress") ++looks_;
    json batch{{"id", name}, {"object", "batch"}, {"status", status}, {"errors", nullptr}};
    if (status == "failed") batch["errors"] = {{"object", "list"}, {"data", {{{"message", "line 3 is no question"}}}}};
    if (status == "completed" || status == "expired") {
      if (batches_[number - 1].answers.empty()) answer_all(batches_[number - 1], status == "expired");
      batch["output_file_id"] = "answers-" + std::to_string(number);
    }
    return reply_of(batch);
  }

  HttpReply hand_out(const std::string& path) {
    for (std::size_t number = 1; number <= batches_.size(); ++number) {
      if (path != "/v1/files/answers-" + std::to_string(number) + "/content") continue;
      HttpReply reply;
      reply.body = batches_[number - 1].answers;
      return reply;
    }
    return refuse("no file " + path);
  }

  struct Batch {
    std::string file;
    std::string answers;
  };

  /// In the opposite order; a batch that expired has answers to every other question.
  void answer_all(Batch& batch, bool expired) {
    std::string_view rest = files_.at(batch.file);
    for (int number = 0; !rest.empty(); ++number) {
      const std::size_t end = rest.find('\n');
      const json line = json::parse(rest.substr(0, end), nullptr, false);
      rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
      if (!line.is_object() || line.value("method", "") != "POST" || line.value("url", "") != "/v1/completions") {
        complaints_ += "bad line\n";
        continue;
      }
      if (expired && number % 2 == 1) continue;
      HttpRequest question{"POST", "/v1/completions", "", line.at("body").dump()};
      const json body = json::parse(oracle_(question).body);
      const json told{{"id", "batch_req_1"},
                      {"custom_id", line.at("custom_id")},
                      {"response", {{"status_code", 200}, {"request_id", "req_1"}, {"body", body}}},
                      {"error", nullptr}};
      batch.answers = told.dump() + "\n" + batch.answers;
    }
  }

  std::mutex mutex_;
  ChainOracle oracle_;
  std::map<std::string, std::string> files_;
  std::vector<Batch> batches_;
  const std::size_t ended_;
  std::string status_ = "in_progress";
  std::string complaints_;
  int looks_ = 0;
  ScriptedServer server_;
};

}  // namespace icpi_test
