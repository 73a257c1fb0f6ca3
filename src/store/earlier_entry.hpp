// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"

namespace icpi::store {

/// The key by which files of version 1 know the answer to a request: a SHA-256. nullopt: the request leaves something
/// open, which could not be asked then.
[[nodiscard]] std::optional<std::string> earlier_key(std::string_view model, const CompletionRequest& request);

/// An entry of a file of version 1: version, finish, usage, text, tokens; little-endian numbers. nullopt: no such entry.
[[nodiscard]] std::optional<Completion> read_earlier_entry(std::string_view bytes);

}  // namespace icpi::store
