// SPDX-License-Identifier: MIT
#include "paper_numbers.hpp"

#include <cmath>

#include "icpi/core/json.hpp"

namespace icpi::program {

const PaperNumbers& paper_numbers() {
  static const PaperNumbers numbers = [] {
    const Json json = Json::parse(paper_json());
    PaperNumbers result;
    for (const Json& domain : json["domains"].array()) result.domains.push_back(domain.string());
    for (const Json& each : json["rows"].array()) {
      PaperRow row{each["name"].string(), each["agent"].string(), {}};
      for (const Json& value : each["values"].array())
        row.values.push_back({value.array().at(0).number(), value.array().at(1).number()});
      result.rows.push_back(std::move(row));
    }
    for (const auto& domain : result.domains) {
      PaperCurve& curve = result.icpi_curves[domain];
      curve.horizon = json["horizons"][domain].integer<std::size_t>();
      for (const Json& bin : json["curves"][domain]["icpi"].array())
        curve.bins.push_back(bin.kind() == Json::Kind::null ? std::nan("") : bin.number());
    }
    return result;
  }();
  return numbers;
}

}  // namespace icpi::program
