// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/http/language_model.hpp"
#include "settings.hpp"
#include "transport.hpp"
#include "url.hpp"

namespace icpi::http {

/// A server that is not there, or does not answer at all.
class ServerAway : public Error {
 public:
  using Error::Error;
};

/// Asks a server who it is: GET base/models, and /props of a llama-server. Asks again as Retries says while the server
/// answers that it is loading, busy or broken. Throws ServerAway when nobody answers, icpi::Error when the key is refused
/// or the connection is not to be trusted; secrets are redacted from messages and from what the server tells.
[[nodiscard]] ServerDescription probe_server(Transport& transport, const Options& options, const BaseUrl& base,
                                             const WireSettings& settings);

/// The model's name: the wanted one, or the only one that the servers list. Lists are hints: services take names that
/// they do not list, or list them in another form; `notice` is told then. Throws icpi::Error when no name is wanted and
/// the choice is open, or servers list different ones.
[[nodiscard]] std::string settle_model(std::string wanted, const std::vector<ServerDescription>& servers,
                                       const std::function<void(std::string_view)>& notice);

}  // namespace icpi::http
