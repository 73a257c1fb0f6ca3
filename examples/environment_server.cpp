// SPDX-License-Identifier: MIT
// A server of environments (docs/process.md) in C++: environment_server DOMAIN serves one of the shipped domains.
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "domain_fields.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"

template <class Env>
void serve(const Env& prototype) {
  const auto bindings = domain_fields::of(prototype);
  const auto name_of = [&](const typename Env::Action& action) {
    return fmt::format("action_{}", static_cast<int>(action));
  };
  const auto append_seen = [&](const typename Env::Observation& seen, std::string& out) {
    for (const auto& binding : bindings) {
      const icpi::FieldValue value = binding.get(seen);
      const auto* whole = std::get_if<std::int64_t>(&value);
      out += &binding == &bindings.front() ? '[' : ',';
      out += whole != nullptr ? fmt::to_string(*whole) : fmt::format("{}", std::get<double>(value));
    }
    out += ']';
  };

  std::map<std::uint64_t, Env> environments;
  for (std::string request_line; std::getline(std::cin, request_line);) {
    const icpi::Json request = icpi::Json::parse(request_line);
    const std::string& kind = request["request"].string();
    if (kind == "close") return;
    icpi::JsonLine answer;
    answer.add("id", request["id"].integer<std::uint64_t>());
    if (kind == "spec") {
      answer.add("protocol", 1).add("name", Env::name).add("discount", prototype.discount());
      answer.add_list("fields", bindings, [](const auto& binding, std::string& out) {
        const bool is_whole = binding.field.kind == icpi::FieldKind::integer;
        icpi::JsonLine field;
        field.add("name", binding.field.name).add("kind", is_whole ? "integer" : "decimal");
        out += field.add("decimals", binding.field.decimals).str();
      });
      answer.add_list("actions", prototype.actions(),
                      [&](const auto& action, std::string& out) { icpi::append_json_string(name_of(action), out); });
    } else {
      const auto& numbers = request["environments"].array();
      std::vector<icpi::Step<typename Env::Observation>> steps;
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        Env& env = environments.try_emplace(numbers[i].integer<std::uint64_t>(), prototype).first->second;
        if (kind == "reset") {
          steps.push_back({env.reset(request["seeds"].array()[i].integer<std::uint64_t>())});
          continue;
        }
        for (const auto& action : env.actions())
          if (name_of(action) == request["actions"].array()[i].string()) steps.push_back(env.step(action));
      }
      const auto append_switch = [](bool on) { return on ? "true" : "false"; };
      answer.add_list("observations", steps,
                      [&](const auto& step, std::string& out) { append_seen(step.observation, out); });
      answer.add_list("rewards", steps,
                      [](const auto& step, std::string& out) { out += fmt::format("{}", step.reward); });
      answer.add_list("terminated", steps,
                      [&](const auto& step, std::string& out) { out += append_switch(step.terminated); });
      answer.add_list("truncated", steps,
                      [&](const auto& step, std::string& out) { out += append_switch(step.truncated); });
    }
    std::cout << answer.str() << std::endl;
  }
}

int main(int count, char** words) {
  icpi::visit_domain(count > 1 ? words[1] : "chain", [](const auto& domain) { serve(domain); });
}
