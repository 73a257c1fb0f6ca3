// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/http/request.hpp"
#include "json_text.hpp"

namespace icpi::http {

/// Which fields a body has, and by which names.
struct BodyShape {
  std::vector<std::string> omitted;                                 ///< by their first or their new names
  std::vector<std::pair<std::string, std::string>> renamed;         ///< old, new
  std::vector<std::pair<std::string, std::string>> extra;           ///< name, value as JSON
  std::vector<std::pair<std::string, std::string>> thinking_off{};  ///< what switches thinking off, as `extra`

  /// The name by which a field is sent; empty: it is not.
  [[nodiscard]] std::string_view sent_name(std::string_view field) const {
    const auto is = [](std::string_view name) { return [name](const auto& each) { return each == name; }; };
    const auto renaming =
        std::find_if(renamed.begin(), renamed.end(), [&](const auto& each) { return each.first == field; });
    const std::string_view name = renaming == renamed.end() ? field : std::string_view(renaming->second);
    if (std::any_of(omitted.begin(), omitted.end(), is(field)) || std::any_of(omitted.begin(), omitted.end(), is(name)))
      return {};
    const bool replaced = std::any_of(extra.begin(), extra.end(), [&](const auto& each) { return each.first == name; });
    return replaced ? std::string_view() : name;
  }
};

/// The shape that the options ask for. Throws InvalidArgument when `extra` or `thinking_off` is not a JSON object.
[[nodiscard]] BodyShape shape_of(const RequestShape& request);

/// Writes the members of a body in a given shape.
class BodyWriter {
 public:
  BodyWriter(std::string& out, const BodyShape& shape) : json_(out), shape_(shape) { json_.open('{'); }

  /// The place for the field's value; nullptr: the field is not sent.
  [[nodiscard]] JsonWriter* field(std::string_view name) {
    const std::string_view sent = shape_.sent_name(name);
    if (sent.empty()) return nullptr;
    json_.key(sent);
    return &json_;
  }
  template <class T>
  BodyWriter& member(std::string_view name, const T& content) {
    if (JsonWriter* json = field(name)) json->value(content);
    return *this;
  }
  /// Adds members that are JSON already.
  void add(const std::vector<std::pair<std::string, std::string>>& members) {
    for (const auto& [name, value] : members) {
      if (JsonWriter* json = field(name)) json->raw(value);
    }
  }
  /// Adds what goes with every body, and ends it.
  void close() {
    for (const auto& [name, value] : shape_.extra) json_.key(name).raw(value);
    json_.close('}');
  }

 private:
  JsonWriter json_;
  const BodyShape& shape_;
};

}  // namespace icpi::http
