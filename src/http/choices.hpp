// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "body.hpp"
#include "icpi/http/options.hpp"
#include "json_text.hpp"

namespace icpi::http {

/// How a server of this kind is told that an answer must be one of given texts; never `automatic`.
[[nodiscard]] ChoiceForm choice_form(const Options& options, ServerKind kind) noexcept;

/// Why it cannot be told; empty: it can.
[[nodiscard]] std::string find_choice_problem(const Options& options, ServerKind kind);

/// Why a server of this kind cannot be held to these choices; empty: it can, or there are none.
[[nodiscard]] std::string find_choice_fault(const Options& options, ServerKind kind,
                                            std::span<const std::string_view> choices);

/// Writes the fields of a body that hold an answer to `choices`, in forms that do not depend on the dialect, and in
/// those of chat. Nothing when there are none.
void write_choices(BodyWriter& body, ChoiceForm form, std::span<const std::string_view> choices);

/// A JSON schema of objects whose one member "answer" is one of `choices`.
void write_choice_schema(JsonWriter& json, std::span<const std::string_view> choices);

/// What the prompt says where nothing else would: a JSON object, and which texts it may hold.
[[nodiscard]] std::string choice_request(std::span<const std::string_view> choices);

/// A grammar (GBNF) whose only sentences are `choices`.
[[nodiscard]] std::string choice_grammar(std::span<const std::string_view> choices);

/// The text that a JSON object {"answer": TEXT} or a string in JSON holds, in a code fence or not; nullopt: it is neither.
[[nodiscard]] std::optional<std::string> unwrap_choice(std::string_view text);

/// The name of the tool and of its argument.
inline constexpr std::string_view choice_name = "answer";

}  // namespace icpi::http
