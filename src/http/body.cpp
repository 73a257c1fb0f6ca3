// SPDX-License-Identifier: MIT
#include "body.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "icpi/core/error.hpp"

namespace icpi::http {

namespace {

std::vector<std::pair<std::string, std::string>> members_of(const std::string& text, const char* what) {
  std::vector<std::pair<std::string, std::string>> members;
  if (text.empty()) return members;
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) throw InvalidArgument(fmt::format("http::Options::request.{} must be a JSON object", what));
  for (const auto& [name, value] : object.items()) members.emplace_back(name, value.dump());
  return members;
}

}  // namespace

BodyShape shape_of(const RequestShape& request) {
  return {request.omit, request.rename, members_of(request.extra, "extra"),
          members_of(request.thinking_off, "thinking_off")};
}

}  // namespace icpi::http
