// SPDX-License-Identifier: MIT
#include "probe.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "icpi/core/error.hpp"
#include "json_text.hpp"
#include "server_words.hpp"

namespace icpi::http {

namespace {

using JsonValue = nlohmann::json;
using namespace std::chrono_literals;

bool interrupted(const Options& options) { return options.interrupted && options.interrupted(); }

TransferResult fetch(Transport& transport, const Options& options, const std::string& url) {
  const auto deadline = Clock::now() + std::min<std::chrono::milliseconds>(options.attempt_timeout, 30s);
  const TransferId id = transport.start(url, std::nullopt);
  std::vector<TransferResult> ended;
  while (ended.empty()) {
    const auto left = deadline - Clock::now();
    if (left <= Clock::duration::zero() || interrupted(options)) {
      transport.abort(id);
      throw ServerAway(fmt::format("http: {} did not answer in time", url));
    }
    transport.run(std::min<Clock::duration>(left, 100ms), ended);
  }
  return std::move(ended.front());
}

void sleep_until(Clock::time_point end, const Options& options) {
  while (Clock::now() < end && !interrupted(options)) {
    std::this_thread::sleep_for(std::min<Clock::duration>(end - Clock::now(), 100ms));
  }
}

/// Repeats the question while the server says that it is not ready, and as often as an attempt may fail while it answers
/// that something is wrong with it.
TransferResult fetch_when_ready(Transport& transport, const Options& options, const std::string& url,
                                const std::vector<std::string>& secrets) {
  const auto give_up = Clock::now() + options.retries.patience;
  std::chrono::milliseconds pause = options.retries.first_backoff;
  for (int attempt = 1;; ++attempt) {
    TransferResult result = fetch(transport, options, url);
    if (result.code != CURLE_OK || result.status < 400) return result;
    const HttpFailure failure = judge_status(result.status, result.body, secrets);
    const bool again = failure.next == HttpFailure::Next::come_later ||
                       (failure.next == HttpFailure::Next::retry && attempt < options.retries.attempts);
    if (!again) return result;
    const double asked = std::max({result.retry_after_seconds, failure.error.retry_after_seconds, 0.0});
    const auto next = Clock::now() + std::max<Clock::duration>(pause, seconds_of(asked));
    if (next >= give_up || interrupted(options)) return result;
    if (attempt == 1 && options.notice)
      options.notice(fmt::format("http: {} is not ready ({}), waiting", url, failure.error.message));
    sleep_until(next, options);
    pause = std::min(2 * pause, options.retries.longest_backoff);
  }
}

std::string string_member(const JsonValue& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::size_t size_member(const JsonValue& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

/// Whether a name can be shown: UTF-8 and nothing that would move a terminal's cursor or break a table.
bool is_plain(const std::string& name) {
  if (find_invalid_utf8(name)) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool control = byte < 0x20 || byte == 0x7F;
    if (control || (byte == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0)) return false;  // U+0080 to U+009F
  }
  return true;
}

/// A name that the server gives, without the key; empty when it cannot be shown.
std::string name_member(const JsonValue& object, std::string_view field, const std::vector<std::string>& secrets) {
  std::string name = redacted(string_member(object, field), secrets);
  return is_plain(name) ? name : std::string();
}

void read_models(const TransferResult& result, const std::vector<std::string>& secrets, ServerDescription& server) {
  const JsonValue list = parse_answer(result.body);
  std::string owner;
  if (list.is_object() && list.contains("data") && list["data"].is_array()) {
    for (const JsonValue& entry : list["data"]) {
      if (!entry.is_object()) continue;
      if (std::string id = name_member(entry, "id", secrets); !id.empty()) server.models.push_back(std::move(id));
      if (owner.empty()) owner = string_member(entry, "owned_by");
      if (server.context_limit == 0) server.context_limit = size_member(entry, "max_model_len");
    }
  }
  if (owner == "vllm") server.kind = ServerKind::vllm;
  if (owner == "sglang") server.kind = ServerKind::sglang;
  if (owner == "llamacpp" || result.server == "llama.cpp") server.kind = ServerKind::llama_server;
}

void read_props(const TransferResult& result, const std::vector<std::string>& secrets, ServerDescription& server) {
  const JsonValue props = parse_answer(result.body);
  if (result.code != CURLE_OK || result.status != 200 || !props.is_object()) return;
  server.slots = size_member(props, "total_slots");
  server.build = name_member(props, "build_info", secrets);
  const auto settings = props.find("default_generation_settings");
  if (settings != props.end() && settings->is_object()) server.context_limit = size_member(*settings, "n_ctx");
}

void check_status(const TransferResult& result, const std::string& url, bool has_key,
                  const std::vector<std::string>& secrets) {
  if (result.too_large) throw Error(fmt::format("http: {} answers with more than max_response_bytes", url));
  if (result.code != CURLE_OK) {
    const std::string message = redacted(fmt::format("http: {} does not answer: {}", url, result.error), secrets);
    if (never_reached(result)) throw ServerAway(message);
    throw Error(message);
  }
  if (result.status == 401 || result.status == 403) {
    throw Error(fmt::format("http: {} {} ({})", url,
                            has_key ? "refuses the key" : "wants a key; name its variable in api_key_env",
                            judge_status(result.status, result.body, secrets).error.message));
  }
  const bool listed = result.status >= 200 && result.status < 300;
  const bool without_list = result.status == 404 || result.status == 405 || result.status == 501;
  if (!listed && !without_list) {
    throw Error(
        fmt::format("http: {} answers with {}", url, judge_status(result.status, result.body, secrets).error.message));
  }
}

bool lists(const ServerDescription& server, const std::string& model) {
  return std::any_of(server.models.begin(), server.models.end(), [&](const std::string& listed) {
    return listed == model || listed.starts_with(model + ":");  // Ollama's "name:tag" answers to "name"
  });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return text;
}

/// The first of many names.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 10;
  if (names.size() <= shown) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{}, ... ({} in all)", fmt::join(names.begin(), names.begin() + shown, ", "), names.size());
}

/// What the server lists that resembles the wanted name, else the first of what it lists.
std::string like(const ServerDescription& server, const std::string& wanted) {
  const std::string part = lower(wanted.substr(wanted.rfind('/') + 1));
  std::vector<std::string> similar;
  for (const std::string& listed : server.models) {
    const std::string whole = lower(listed);
    const std::string base = whole.substr(whole.rfind('/') + 1);
    constexpr std::size_t telling = 3;  // letters
    if (part.size() < telling || base.size() < telling) continue;
    if (whole.find(part) != std::string::npos || (!base.empty() && part.find(base) != std::string::npos))
      similar.push_back(listed);
  }
  return (similar.empty() ? "it lists: " : "alike it lists: ") + some_of(similar.empty() ? server.models : similar);
}

}  // namespace

ServerDescription probe_server(Transport& transport, const Options& options, const BaseUrl& base,
                               const WireSettings& settings) {
  const std::vector<std::string>& secrets = settings.secrets;
  ServerDescription server;
  server.base_url = base.text();
  const std::string url = base.text() + "/models" + settings.query;
  const TransferResult models = fetch_when_ready(transport, options, url, secrets);
  check_status(models, url, !options.api_key_env.empty(), secrets);
  server.probed = true;
  read_models(models, secrets, server);
  if (options.server != ServerKind::automatic) server.kind = options.server;
  if (server.kind == ServerKind::llama_server) {
    read_props(fetch(transport, options, base.root() + "/props" + settings.query), secrets, server);
  }
  return server;
}

std::string settle_model(std::string wanted, const std::vector<ServerDescription>& servers,
                         const std::function<void(std::string_view)>& notice) {
  const bool named = !wanted.empty();
  if (!named) {
    const auto asked = std::find_if(servers.begin(), servers.end(), [](const auto& server) { return server.probed; });
    const ServerDescription& first = asked == servers.end() ? servers.front() : *asked;
    if (first.models.empty())
      throw Error(fmt::format("http: {} does not tell which models it has; name one", first.base_url));
    if (first.models.size() > 1)
      throw Error(fmt::format("http: {} lists {} models; name one: {}", first.base_url, first.models.size(),
                              some_of(first.models)));
    wanted = first.models.front();
  }
  for (const ServerDescription& server : servers) {
    // llama-server answers for the one model it has, whatever the name: what the user calls it is taken on trust.
    const bool trusted = named && server.kind == ServerKind::llama_server;
    if (trusted || server.models.empty() || lists(server, wanted)) continue;
    if (!named)
      throw Error(fmt::format("http: {} does not have the model '{}'; it lists: {}", server.base_url, wanted,
                              some_of(server.models)));
    if (notice)
      notice(fmt::format("http: {} does not list the model '{}', which is asked for all the same; {}", server.base_url,
                         wanted, like(server, wanted)));
  }
  return wanted;
}

}  // namespace icpi::http
