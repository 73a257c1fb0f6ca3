// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/field_text.hpp"
#include "icpi/core/json.hpp"
#include "icpi/process/spec.hpp"

namespace icpi::detail {

/// The version of the protocol that docs/process.md describes.
inline constexpr int protocol_version = 1;

/// What a server answers for one environment.
struct EnvironmentAnswer {
  FieldValues observation;
  double reward = 0;
  bool terminated = false;
  bool truncated = false;
  std::vector<std::string> legal_actions;  ///< all, where the server does not say
  std::string error;                       ///< what the environment threw, and nothing else; empty: nothing
};

/// Reads the answer to `spec`. Throws InvalidArgument naming what is wrong.
EnvironmentSpec read_spec(const Json& answer);

/// Reads the answer to `reset`, or to `step`, for so many environments. Throws InvalidArgument naming what is wrong.
std::vector<EnvironmentAnswer> read_answers(const Json& answer, std::size_t count, bool is_step,
                                            const EnvironmentSpec& spec, const FieldText& text);

/// Reads a list of names of actions. Throws InvalidArgument for what is no list of the spec's, once each.
std::vector<std::string> read_legal_actions(const Json& list, const EnvironmentSpec& spec);

/// Values as a JSON list, appended.
void append_values(std::span<const FieldValue> values, std::string& out);

}  // namespace icpi::detail
