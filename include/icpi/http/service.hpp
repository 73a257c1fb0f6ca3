// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "icpi/http/options.hpp"

namespace icpi::http {

/// A service or server software and what is known of it.
struct Service {
  std::string_view name;                             ///< as --service takes it
  std::string_view base_url{};                       ///< empty: the user names it
  std::string_view key_variable{};                   ///< name of the environment variable with the key; empty: none
  Dialect dialect = Dialect::chat;                   ///< its route for one continuation
  ServerKind server = ServerKind::generic;           ///< which software answers
  std::string_view max_tokens_field = "max_tokens";  ///< of chat
  std::vector<std::string_view> omit{};              ///< fields that it refuses, or does nothing with
  std::string_view rename{};                         ///< "old=new"; empty: nothing
  std::string_view extra{};                          ///< JSON; empty: nothing
  std::string_view api_key_header{};                 ///< empty: Authorization
  double lowest_temperature = 0;                     ///< that it accepts
  double highest_temperature = std::numeric_limits<double>::infinity();  ///< that it accepts
  std::size_t most_stops = std::numeric_limits<std::size_t>::max();      ///< stop strings of a request
  ChoiceForm choices = ChoiceForm::automatic;    ///< how it is told that an answer must be one of given texts
  bool choices_after_thought = true;             ///< it may think before such an answer
  std::string_view thinking_off{};               ///< JSON that switches thinking off in chat; empty: nothing does
  PromptCache prompt_cache = PromptCache::none;  ///< how it is told what it may keep of a prompt
  bool starts_quiet = false;                     ///< thinking is off unless it is asked for
};

/// Every service that is known, in the order of the documentation.
[[nodiscard]] const std::vector<Service>& services();

/// Throws InvalidArgument with the known names.
[[nodiscard]] const Service& find_service(std::string_view name);

/// `options` as the service needs them: place, key, dialect and shape of the request are replaced.
[[nodiscard]] Options for_service(const Service& service, Options options = {});

}  // namespace icpi::http
