// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/prompt/answer_reader.hpp"
#include "question_reader.hpp"

namespace icpi::program {

/// Of `Env` and its formatter.
template <class Env, class Formatter>
class QuestionReaderOf final : public QuestionReader {
 public:
  QuestionReaderOf(const Env& env, Formatter formatter) : formatter_(std::move(formatter)), oracle_(env, formatter_) {}

  QueryKind kind(const CompletionRequest& request) override { return oracle_.kind(request); }

  std::optional<std::string> meaning(QueryKind kind, std::string_view answer) const override {
    if (kind == QueryKind::transition) return meaning_of_transition(answer);
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
      case QueryKind::transition: break;
    }
    if (written) written = std::string(without_stop(*written, formatter_.stop(kind)));
    return written;
  }

 private:
  /// Of all its parts, each with what ends it.
  std::optional<std::string> meaning_of_transition(std::string_view left) const {
    std::string written;
    bool terminated = false;
    for (const QueryKind kind : {QueryKind::termination, QueryKind::reward, QueryKind::observation}) {
      if (kind == QueryKind::observation && terminated) break;
      const std::string stop(formatter_.stop(kind));
      const auto part = take_part(left, stop, true);
      const auto said = part ? meaning(kind, *part) : std::nullopt;
      if (!said) return std::nullopt;
      if (kind == QueryKind::termination) terminated = formatter_.parse_termination(*part).value_or(false);
      written += *said + stop;
    }
    return written;
  }

  Formatter formatter_;
  OracleModel<Env, Formatter> oracle_;
};

}  // namespace icpi::program
