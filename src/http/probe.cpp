// SPDX-License-Identifier: MIT
#include "probe.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "icpi/core/error.hpp"
#include "reading.hpp"

namespace icpi::http {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

TransferResult fetch(Transport& transport, const Options& options, const std::string& url) {
  const auto deadline = Clock::now() + std::min<std::chrono::milliseconds>(options.attempt_timeout, 30s);
  const TransferId id = transport.start(url, std::nullopt);
  std::vector<TransferResult> ended;
  while (ended.empty()) {
    const auto left = deadline - Clock::now();
    if (left <= Clock::duration::zero() || (options.interrupted && options.interrupted())) {
      transport.abort(id);
      throw Error(fmt::format("http: {} did not answer in time", url));
    }
    transport.run(std::min<Clock::duration>(left, 100ms), ended);
  }
  return std::move(ended.front());
}

/// Repeats the question while the server says that it is not ready.
TransferResult fetch_when_ready(Transport& transport, const Options& options, const std::string& url) {
  const auto give_up = Clock::now() + options.retries.patience;
  bool told = false;
  while (true) {
    TransferResult result = fetch(transport, options, url);
    const bool waits = result.code == CURLE_OK && (result.status == 503 || result.status == 429);
    if (!waits || Clock::now() >= give_up || (options.interrupted && options.interrupted())) return result;
    if (!told && options.notice)
      options.notice(fmt::format("http: {} is not ready (status {}), waiting", url, result.status));
    told = true;
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(options.retries.first_backoff, 1s));
  }
}

std::string string_member(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::size_t size_member(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

void read_models(const TransferResult& result, ServerDescription& server) {
  const json list = json::parse(result.body, nullptr, false);
  std::string owner;
  if (list.is_object() && list.contains("data") && list["data"].is_array()) {
    for (const json& entry : list["data"]) {
      if (!entry.is_object()) continue;
      if (std::string id = string_member(entry, "id"); !id.empty()) server.models.push_back(std::move(id));
      if (owner.empty()) owner = string_member(entry, "owned_by");
      if (server.context_limit == 0) server.context_limit = size_member(entry, "max_model_len");
    }
  }
  if (owner == "vllm") server.kind = ServerKind::vllm;
  if (owner == "sglang") server.kind = ServerKind::sglang;
  if (owner == "llamacpp" || result.server == "llama.cpp") server.kind = ServerKind::llama_server;
}

void read_props(const TransferResult& result, ServerDescription& server) {
  const json props = json::parse(result.body, nullptr, false);
  if (result.code != CURLE_OK || result.status != 200 || !props.is_object()) return;
  server.slots = size_member(props, "total_slots");
  server.build = string_member(props, "build_info");
  const auto settings = props.find("default_generation_settings");
  if (settings != props.end() && settings->is_object()) server.context_limit = size_member(*settings, "n_ctx");
}

void check_status(const TransferResult& result, const std::string& url, bool has_key, const std::string& key) {
  if (result.code != CURLE_OK)
    throw Error(redacted(fmt::format("http: {} does not answer: {}", url, result.error), key));
  if (result.status == 401 || result.status == 403) {
    throw Error(fmt::format("http: {} {} (status {})", url,
                            has_key ? "refuses the key" : "wants a key; name its variable in api_key_env",
                            result.status));
  }
  const bool listed = result.status >= 200 && result.status < 300;
  const bool without_list = result.status == 404 || result.status == 405 || result.status == 501;
  if (!listed && !without_list) {
    const std::string message = judge_status(result.status, result.body).error.message;
    throw Error(redacted(fmt::format("http: {} answers with {}", url, message), key));
  }
}

bool lists(const ServerDescription& server, const std::string& model) {
  return std::any_of(server.models.begin(), server.models.end(), [&](const std::string& listed) {
    return listed == model || listed.starts_with(model + ":");  // Ollama's "name:tag" answers to "name"
  });
}

}  // namespace

std::string redacted(std::string text, const std::string& key) {
  if (key.empty()) return text;
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at)) {
    text.replace(at, key.size(), "[key]");
  }
  return text;
}

ServerDescription probe_server(Transport& transport, const Options& options, const BaseUrl& base,
                               const std::string& key) {
  ServerDescription server;
  server.base_url = base.text();
  const std::string url = base.text() + "/models";
  const TransferResult models = fetch_when_ready(transport, options, url);
  check_status(models, url, !key.empty(), key);
  server.probed = true;
  read_models(models, server);
  if (options.server != ServerKind::automatic) server.kind = options.server;
  if (server.kind == ServerKind::llama_server) read_props(fetch(transport, options, base.root() + "/props"), server);
  return server;
}

std::string settle_model(const std::string& wanted, const std::vector<ServerDescription>& servers) {
  if (wanted.empty()) {
    const auto& models = servers.front().models;
    if (models.size() == 1) return models.front();
    throw Error(fmt::format("http: {} lists {} models; name one: {}", servers.front().base_url, models.size(),
                            fmt::join(models, ", ")));
  }
  for (const ServerDescription& server : servers) {
    // llama-server answers for the one model it has, whatever the name.
    if (server.kind == ServerKind::llama_server || server.models.empty() || lists(server, wanted)) continue;
    throw Error(fmt::format("http: {} does not have the model '{}'; it lists: {}", server.base_url, wanted,
                            fmt::join(server.models, ", ")));
  }
  return wanted;
}

}  // namespace icpi::http
