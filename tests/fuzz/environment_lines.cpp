// SPDX-License-Identifier: MIT
// Any text as what an environment in another process says of itself, and as its answers: refused by name, or as the
// protocol has it; values that are taken are written and read back.
#include <string>
#include <string_view>
#include <variant>

#include "fuzz.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "messages.hpp"

namespace {

using namespace icpi;

/// A server with every kind of field, for answers whose own first line is refused.
constexpr std::string_view any_server = R"({"protocol":1,"name":"any","actions":["left","right"],"legal_actions":true,
"reward_bounds":[-1,1],"fields":[{"name":"row","kind":"integer","group":"g"},{"name":"goal","kind":"integer","group":"g"},
{"name":"x","kind":"decimal","decimals":3},{"name":"door","kind":"category","categories":["open","shut"]},
{"name":"note","kind":"text"}]})";

template <class Read>
void refused_or(Read&& read) {
  try {
    read();
  } catch (const InvalidArgument& refusal) {
    fuzz::require(!std::string_view(refusal.what()).empty(), "what is refused is named");
  }
}

void require_sound(const EnvironmentSpec& spec) {
  fuzz::require(!spec.name.empty() && !spec.fields.empty() && !spec.actions.empty(), "an environment has its parts");
  fuzz::require(!spec.discount || (*spec.discount > 0 && *spec.discount <= 1), "a discount is in range");
  fuzz::require(!spec.reward_bounds || spec.reward_bounds->first <= spec.reward_bounds->second, "bounds are ordered");
}

void require_values_survive(const FieldText& text, const FieldValues& values) {
  std::string json;
  detail::append_values(values, json);
  fuzz::require(Json::parse(json).array().size() == values.size(), "values are written as JSON");
  std::string line = text.write(values);
  fuzz::require(line.find('\n') == line.size() - 1, "an observation is one line");
  line.pop_back();
  const auto read = text.read(line);
  fuzz::require(read && *read == values, "an observation reads back");
}

void read_answer(const std::string& line, bool is_step, const EnvironmentSpec& spec) {
  const FieldText text(spec.fields);
  for (const auto& answer : detail::read_answers(Json::parse(line), 2, is_step, spec, text)) {
    if (!answer.error.empty()) continue;
    require_values_survive(text, answer.observation);
    fuzz::require(!spec.reward_bounds ||
                      (answer.reward >= spec.reward_bounds->first && answer.reward <= spec.reward_bounds->second),
                  "rewards keep to their bounds");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool is_step = (input.byte() & 1U) != 0;
  EnvironmentSpec spec = detail::read_spec(Json::parse(any_server));
  const std::string first(input.record());
  refused_or([&] {
    EnvironmentSpec own = detail::read_spec(Json::parse(first));
    require_sound(own);
    spec = std::move(own);
  });
  for (const std::string& line : input.records(4)) {
    refused_or([&] { read_answer(line, is_step, spec); });
    refused_or([&] {
      for (const auto& legal : detail::read_legal_actions(Json::parse(line), spec))
        fuzz::require(!legal.empty(), "legal actions have names");
    });
  }
  return 0;
}
