// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  QuestionReaderOf(const Env& env, Formatter formatter) : formatter_(std::move(formatter)), oracle_(env, formatter_) {
    for (const auto& action : env.actions()) actions_.emplace_back(formatter_.action(action));
    const std::string start(formatter_.episode_start());
    start_ = start.substr(std::min(start.find_first_not_of('\n'), start.size()));
  }

  bool knows(const CompletionRequest& request) const override {
    const std::string prompt = std::string(request.prefix.text).append(request.query);
    const std::size_t blank = prompt.rfind("\n\n");
    const std::string_view asked = std::string_view(prompt).substr(blank == std::string::npos ? 0 : blank + 2);
    if (start_.empty() ? is_observation(asked)
                       : asked.starts_with(start_) && is_observation(asked.substr(start_.size())))
      return true;
    return std::any_of(actions_.begin(), actions_.end(), [&](const std::string& action) {
      return asked.ends_with(action) && is_observation(asked.substr(0, asked.size() - action.size()));
    });
  }

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
  bool is_observation(std::string_view text) const {
    return formatter_.parse_observation(without_stop(text, formatter_.stop(QueryKind::observation))).has_value();
  }

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
  std::vector<std::string> actions_;
  std::string start_;  ///< of an episode, without what parts it from the one before
  OracleModel<Env, Formatter> oracle_;
};

}  // namespace icpi::program
