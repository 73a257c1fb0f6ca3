// SPDX-License-Identifier: MIT
#include "choices.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "chat_text.hpp"
#include "server_words.hpp"

namespace icpi::http {

namespace {

bool speaks(Dialect dialect, ChoiceForm form) {
  switch (form) {
    case ChoiceForm::automatic:
    case ChoiceForm::none: return false;
    case ChoiceForm::json_schema:
      return dialect == Dialect::chat || dialect == Dialect::anthropic || dialect == Dialect::responses;
    case ChoiceForm::tool: return dialect == Dialect::chat || dialect == Dialect::anthropic;
    case ChoiceForm::json_object:
    case ChoiceForm::response_regex: return dialect == Dialect::chat;
    case ChoiceForm::structured_outputs:
    case ChoiceForm::guided_choice:
    case ChoiceForm::regex: return dialect == Dialect::completions || dialect == Dialect::chat;
    case ChoiceForm::grammar:
      return dialect == Dialect::completions || dialect == Dialect::chat || dialect == Dialect::llama_native;
  }
  return false;
}

/// A regular expression that matches exactly `choices`.
std::string choice_regex(std::span<const std::string_view> choices) {
  constexpr std::string_view special = R"(\^$.|?*+()[]{})";
  std::string regex = "(";
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) regex += '|';
    for (const char c : choices[i]) {
      if (special.find(c) != std::string_view::npos) regex += '\\';
      regex += c;
    }
  }
  return regex + ")";
}

void write_texts(JsonWriter& json, std::span<const std::string_view> texts) {
  json.open('[');
  for (const std::string_view text : texts) json.value(text);
  json.close(']');
}

void write_response_format(JsonWriter& json, ChoiceForm form, std::span<const std::string_view> choices) {
  json.open('{');
  switch (form) {
    case ChoiceForm::json_schema:
      json.member("type", "json_schema").key("json_schema").open('{').member("name", choice_name);
      json.member("strict", true).key("schema");
      write_choice_schema(json, choices);
      json.close('}');
      break;
    case ChoiceForm::response_regex:
      json.member("type", "regex").member("value", std::string_view(choice_regex(choices)));
      break;
    default: json.member("type", "json_object"); break;
  }
  json.close('}');
}

/// The one tool of chat, which must be called.
void write_tool(BodyWriter& body, std::span<const std::string_view> choices) {
  if (JsonWriter* json = body.field("tools")) {
    json->open('[').open('{').member("type", "function").key("function").open('{').member("name", choice_name);
    json->key("parameters");
    write_choice_schema(*json, choices);
    json->close('}').close('}').close(']');
  }
  if (JsonWriter* json = body.field("tool_choice")) {
    json->open('{').member("type", "function").key("function").open('{').member("name", choice_name);
    json->close('}').close('}');
  }
}

}  // namespace

ChoiceForm choice_form(const Options& options, ServerKind kind) noexcept {
  if (options.choice_form != ChoiceForm::automatic) return options.choice_form;
  if (options.dialect == Dialect::anthropic || options.dialect == Dialect::responses) return ChoiceForm::json_schema;
  if (options.dialect == Dialect::llama_native) return ChoiceForm::grammar;
  switch (kind) {
    case ServerKind::llama_server: return ChoiceForm::grammar;
    case ServerKind::sglang: return ChoiceForm::regex;
    case ServerKind::vllm:
      return options.vllm_choice_field == VllmChoiceField::guided_choice ? ChoiceForm::guided_choice
                                                                         : ChoiceForm::structured_outputs;
    case ServerKind::automatic:
    case ServerKind::generic: break;
  }
  return ChoiceForm::none;
}

std::string find_choice_problem(const Options& options, ServerKind kind) {
  const ChoiceForm form = choice_form(options, kind);
  if (form == ChoiceForm::none) return "it is not known how it could be told; see Options::choice_form (--choices)";
  if (!speaks(options.dialect, form))
    return fmt::format("the dialect {} has no {}; another dialect (--dialect) may", name(options.dialect), name(form));
  const bool forced = form == ChoiceForm::tool && options.dialect == Dialect::anthropic;
  if (options.thinking_tokens.value_or(0) > 0 && (forced || !options.choices_after_thought))
    return "it cannot be told while it thinks; thinking_tokens 0 (--thinking-tokens 0) switches that off";
  return {};
}

std::string find_choice_fault(const Options& options, ServerKind kind, std::span<const std::string_view> choices) {
  constexpr std::size_t most = 1000;
  constexpr std::size_t many = 250;
  constexpr std::size_t most_bytes_of_many = 15'000;
  if (choices.empty()) return {};
  if (const std::string problem = find_choice_problem(options, kind); !problem.empty())
    return "this server cannot be held to a list of choices: " + problem;
  const ChoiceForm form = choice_form(options, kind);
  if (form != ChoiceForm::json_schema && form != ChoiceForm::tool) return {};
  if (choices.size() > most) return fmt::format("{} choices are more than the {} of a schema", choices.size(), most);
  std::size_t bytes = 0;
  for (const std::string_view choice : choices) bytes += choice.size();
  if (choices.size() <= many || bytes <= most_bytes_of_many) return {};
  return fmt::format("{} choices of {} bytes in all are more than the {} bytes of a schema", choices.size(), bytes,
                     most_bytes_of_many);
}

void write_choices(BodyWriter& body, ChoiceForm form, std::span<const std::string_view> choices) {
  if (choices.empty()) return;
  switch (form) {
    case ChoiceForm::automatic:
    case ChoiceForm::none: return;
    case ChoiceForm::grammar: body.member("grammar", std::string_view(choice_grammar(choices))); return;
    case ChoiceForm::regex: body.member("regex", std::string_view(choice_regex(choices))); return;
    case ChoiceForm::tool: return write_tool(body, choices);
    case ChoiceForm::guided_choice:
      if (JsonWriter* json = body.field("guided_choice")) write_texts(*json, choices);
      return;
    case ChoiceForm::structured_outputs:
      if (JsonWriter* json = body.field("structured_outputs")) {
        write_texts(json->open('{').key("choice"), choices);
        json->close('}');
      }
      return;
    case ChoiceForm::json_schema:
    case ChoiceForm::json_object:
    case ChoiceForm::response_regex:
      if (JsonWriter* json = body.field("response_format")) write_response_format(*json, form, choices);
      return;
  }
}

void write_choice_schema(JsonWriter& json, std::span<const std::string_view> choices) {
  json.open('{').member("type", "object").key("properties").open('{').key(choice_name);
  json.open('{').member("type", "string").key("enum");
  write_texts(json, choices);
  json.close('}').close('}').key("required").open('[').value(choice_name).close(']');
  json.member("additionalProperties", false).close('}');
}

std::string choice_request(std::span<const std::string_view> choices) {
  std::string text = "\n\nReply in JSON, as {\"answer\": TEXT}, where TEXT is one of ";
  JsonWriter json(text);
  write_texts(json, choices);
  return text;
}

std::string choice_grammar(std::span<const std::string_view> choices) {
  std::string grammar = "root ::= ";
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) grammar += " | ";
    grammar += '"';
    for (const char c : choices[i]) {
      if (c == '"' || c == '\\') {
        grammar += '\\';
        grammar += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        grammar += fmt::format("\\x{:02X}", static_cast<unsigned>(c));
      } else {
        grammar += c;
      }
    }
    grammar += '"';
  }
  return grammar;
}

std::optional<std::string> unwrap_choice(std::string_view text) {
  const nlohmann::json parsed = parse_answer(std::string(without_fence(text)));
  if (parsed.is_string()) return parsed.get<std::string>();
  if (!parsed.is_object()) return std::nullopt;
  const auto answer = parsed.find(choice_name);
  if (answer == parsed.end() || !answer->is_string()) return std::nullopt;
  return answer->get<std::string>();
}

}  // namespace icpi::http
