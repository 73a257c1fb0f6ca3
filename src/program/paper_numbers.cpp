// SPDX-License-Identifier: MIT
#include "paper_numbers.hpp"

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
    return result;
  }();
  return numbers;
}

}  // namespace icpi::program
