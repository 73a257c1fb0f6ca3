// SPDX-License-Identifier: MIT
#include "body.hpp"

#include <nlohmann/json.hpp>

#include "icpi/core/error.hpp"

namespace icpi::http {

BodyShape shape_of(const RequestShape& request) {
  BodyShape shape{request.omit, request.rename, {}};
  if (request.extra.empty()) return shape;
  const nlohmann::json extra = nlohmann::json::parse(request.extra, nullptr, false);
  if (!extra.is_object()) throw InvalidArgument("http::Options::request.extra must be a JSON object");
  for (const auto& [name, value] : extra.items()) shape.extra.emplace_back(name, value.dump());
  return shape;
}

}  // namespace icpi::http
