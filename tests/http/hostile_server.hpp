// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/random.hpp"
#include "scripted_server.hpp"

namespace icpi_test {

/// Answers drawn from a seed: valid ones, and ones that are wrong in every way that somebody might think of.
/// Not for concurrent use.
class HostileScript {
 public:
  /// `secret`: repeated wherever an answer may hold text. `chat`: the shape of valid answers.
  HostileScript(std::uint64_t seed, std::string secret, bool chat)
      : random_(icpi::RandomKey(0x4057).child(seed)), secret_(std::move(secret)), chat_(chat) {}

  /// The next answer, and what a client that could read it must book; nothing where that is open to dispute.
  std::pair<HttpReply, icpi::Usage> next() {
    const icpi::Usage usage{10 + random_.index(1000), 0, 1 + random_.index(50)};
    nlohmann::json answer = valid(usage);
    if (random_.uniform() < 0.3) return {whole(answer.dump()), usage};
    switch (random_.index(5)) {
      case 0: return {whole(wrong_json(std::move(answer))), {}};
      case 1: return {framed(answer.dump()), {}};
      case 2: return {refusal(), {}};
      case 3: return {whole(without_a_character(answer.dump())), usage};
      default: return {whole(wrong_bytes(answer.dump())), {}};
    }
  }

 private:
  using Json = nlohmann::json;

  template <std::size_t count>
  const char* any(const std::array<const char*, count>& words) {
    return words[random_.index(count)];
  }
  [[nodiscard]] std::string words() {
    return any(std::array{" value", "", "\n", "\xE2\x80\xAE", "</think>", "```"}) + (" " + secret_);
  }

  [[nodiscard]] Json valid(const icpi::Usage& usage) {
    Json choice{{"index", 0}, {"finish_reason", "stop"}};
    if (chat_) {
      choice["message"] = {{"role", "assistant"}, {"content", words()}, {"reasoning_content", words()}};
    } else {
      choice["text"] = words();
    }
    return {{"id", "1"},
            {"choices", {choice}},
            {"usage", {{"prompt_tokens", usage.prompt_tokens}, {"completion_tokens", usage.completion_tokens}}}};
  }

  static HttpReply whole(std::string body) {
    HttpReply reply;
    reply.body = std::move(body);
    return reply;
  }

  /// One node becomes something else, or goes.
  std::string wrong_json(Json answer) {
    const Json flat = answer.flatten();
    auto leaf = flat.begin();
    std::advance(leaf, random_.index(flat.size()));
    Json::json_pointer place(leaf.key());
    for (std::size_t up = random_.index(3); up > 0 && !place.parent_pointer().empty(); --up)
      place = place.parent_pointer();
    switch (random_.index(9)) {
      case 0: answer[place] = nullptr; break;
      case 1: answer[place] = -1; break;
      case 2: answer[place] = 1e300; break;
      case 3: answer[place] = words(); break;
      case 4: answer[place] = Json::array({words(), 7, nullptr}); break;
      case 5: answer[place] = {{"error", words()}, {"code", 429}}; break;
      case 6: answer[place] = std::uint64_t{1} << 63U; break;
      case 7: answer["error"] = {{"message", words()}, {"code", random_.index(1000)}}; break;
      default: {
        Json& parent = answer[place.parent_pointer()];
        if (parent.is_array()) {
          parent.clear();
        } else {
          parent.erase(place.back());
        }
      }
    }
    return answer.dump();
  }

  /// JSON but for a text that is no UTF-8.
  std::string without_a_character(std::string body) {
    return body.insert(body.find(secret_), any(std::array{"\\ud83d", "\\udc00", "\xC3\x28\xF5\xFF", "\xF0\x9F"}));
  }

  /// JSON no longer, or JSON that is a strain.
  std::string wrong_bytes(std::string body) {
    switch (random_.index(8)) {
      case 0: return body.substr(0, random_.index(body.size()));
      case 1: body[random_.index(body.size())] = static_cast<char>(random_.index(256)); return body;
      case 2: return body.insert(random_.index(body.size()), "\xC3\x28\xF5\xFF");
      case 3: return std::string(20'000, random_.uniform() < 0.5 ? '[' : '{');
      case 4: return "\xEF\xBB\xBF" + body;
      case 5: return body + body;
      case 6: return "data: " + body + "\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"" + secret_ + "\"}}]}\n\n";
      default: return "<html><body>" + words() + std::string(random_.index(3000), ' ') + "</body></html>";
    }
  }

  [[nodiscard]] std::string odd_length(std::size_t size) {
    switch (random_.index(6)) {
      case 0: return fmt::format("{}", size / 2);
      case 1: return fmt::format("{}", size + 100);
      case 2: return "-5";
      case 3: return "99999999999999999999999999";
      case 4: return fmt::format("{}\r\nContent-Length: {}", size, size + 3);
      default: return "a few";
    }
  }

  /// The bytes on the wire are not what HTTP has them be.
  HttpReply framed(const std::string& body) {
    HttpReply reply;
    reply.manner = HttpReply::Manner::raw;
    const std::string good = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    const std::string chunked = good + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string sized = fmt::format("Content-Length: {}\r\n\r\n", body.size());
    switch (random_.index(12)) {
      case 0: reply.body = good + "Content-Length: " + odd_length(body.size()) + "\r\n\r\n" + body; break;
      case 1: reply.body = chunked + fmt::format("{:x}\r\n{}", body.size() + 5, body); break;
      case 2: reply.body = chunked + "FFFFFFFFFFFFFFFFFF\r\n" + body; break;
      case 3: reply.body = chunked + "zz\r\n" + body + "\r\n0\r\n\r\n"; break;
      case 4: reply.body = body; break;
      case 5: reply.body = fmt::format("HTTP/1.1 {} {}\r\n{}{}", random_.index(1200), secret_, sized, body); break;
      case 6: reply.body = good + "X-Long: " + std::string(200'000, 'x') + "\r\n" + sized + body; break;
      case 7: reply.body = good + std::string("no colon\0 here\r\n", 16) + sized + body; break;
      case 8: reply.body = good + "Content-Encoding: gzip\r\n" + sized + body; break;
      case 9:
        reply.body = good + sized + body;
        reply.piece = 1 + random_.index(3);
        reply.body_delay = std::chrono::milliseconds(body.size() < 200 ? 1 : 0);
        break;
      case 10:
        reply.body = good + "\r\n" + body;
        reply.manner = HttpReply::Manner::endless;
        break;
      default: reply.body = "HTTP/1.1 100 Continue\r\n\r\n" + good + "\r\n" + body.substr(0, body.size() / 2); break;
    }
    return reply;
  }

  /// A status of its own, with headers that ask for something strange.
  HttpReply refusal() {
    constexpr std::array statuses{301, 307, 308, 400, 401, 402, 404, 408, 422, 429, 500, 502, 503, 529};
    HttpReply reply;
    reply.status = statuses[random_.index(statuses.size())];
    reply.headers = any(std::array{"", "Retry-After: -1\r\n", "Retry-After: 1e308\r\n", "Retry-After: nan\r\n",
                                   "retry-after-ms: 0.5\r\n", "Location: http://127.0.0.1:1/v1\r\n",
                                   "Location: /v1/completions\r\n", "x-ratelimit-reset-tokens: 6m0s9\r\n"});
    switch (random_.index(5)) {
      case 0: reply.body = Json{{"error", {{"message", words()}, {"param", "seed"}}}}.dump(); break;
      case 1:
        reply.body = Json{{{"error", {{"message", words()}, {"details", {{{"retryDelay", "x"}}}}}}}}.dump();
        break;
      case 2:
        reply.body = Json{{"message", {{"detail", {{{"loc", {"body", "stop"}}, {"msg", words()}}}}}}}.dump();
        break;
      case 3: reply.body = "rate limit: " + secret_ + "\x1B[2J\x07"; break;
      default: reply.body = wrong_bytes("{\"error\":\"" + secret_ + "\"}"); break;
    }
    return reply;
  }

  icpi::RandomStream random_;
  const std::string secret_;
  const bool chat_;
};

/// A server that follows such a script, and knows what of it must have been booked at the least. Thread-safe.
class HostileServer {
 public:
  HostileServer(std::uint64_t seed, std::string secret, bool chat)
      : script_(seed, std::move(secret), chat), server_([this](const HttpRequest&) {
          const std::lock_guard lock(mutex_);
          auto [reply, usage] = script_.next();
          due_.prompt_tokens += usage.prompt_tokens;
          due_.completion_tokens += usage.completion_tokens;
          return reply;
        }) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  /// Tokens of the answers that were valid and sent whole.
  [[nodiscard]] icpi::Usage due() {
    const std::lock_guard lock(mutex_);
    return due_;
  }

 private:
  std::mutex mutex_;
  HostileScript script_;
  icpi::Usage due_;
  ScriptedServer server_;
};

}  // namespace icpi_test
