// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "icpi/http/language_model.hpp"
#include "transport.hpp"
#include "url.hpp"

namespace icpi::http {

/// Asks a server who it is: GET base/models, and /props of a llama-server. Waits for one that is still loading, up to
/// Retries::patience. Throws icpi::Error when nobody answers or the key is refused; `key` is redacted from messages.
[[nodiscard]] ServerDescription probe_server(Transport& transport, const Options& options, const BaseUrl& base,
                                             const std::string& key);

/// The model's name: the wanted one, or the only one that the servers list. Throws icpi::Error when a server lists
/// models and this is none of them, or when the choice is open.
[[nodiscard]] std::string settle_model(const std::string& wanted, const std::vector<ServerDescription>& servers);

/// `text` without `key`.
[[nodiscard]] std::string redacted(std::string text, const std::string& key);

}  // namespace icpi::http
