// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/models/oracle.hpp"
#include "question_reader.hpp"

namespace icpi::program {

/// Of `Env` and its formatter.
template <class Env, class Formatter>
class QuestionReaderOf final : public QuestionReader {
 public:
  QuestionReaderOf(const Env& env, Formatter formatter) : formatter_(std::move(formatter)), oracle_(env, formatter_) {}

  QueryKind kind(std::string_view prefix, std::string_view query) override {
    CompletionRequest request;
    request.prefix.text = prefix;
    request.query = query;
    return oracle_.kind(request);
  }

  std::optional<std::string> meaning(QueryKind kind, std::string_view answer) const override {
    const std::string_view text = without_stop(answer, formatter_.stop(kind));
    std::optional<std::string> written;
    switch (kind) {
      case QueryKind::termination:
        if (const auto value = formatter_.parse_termination(text)) written = formatter_.termination(*value);
        break;
      case QueryKind::reward:
        if (const auto value = formatter_.parse_reward(text)) written = formatter_.reward(*value);
        break;
      case QueryKind::observation:
        if (formatter_.accepts_observation(text)) return std::string(text);
        break;
      case QueryKind::action:
        if (const auto value = formatter_.parse_action(text)) written = formatter_.action(*value);
        break;
    }
    if (written) written = std::string(without_stop(*written, formatter_.stop(kind)));
    return written;
  }

  std::string stop(QueryKind kind) const override { return std::string(formatter_.stop(kind)); }

 private:
  Formatter formatter_;
  OracleModel<Env, Formatter> oracle_;
};

}  // namespace icpi::program
