// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "body.hpp"
#include "chat_text.hpp"
#include "icpi/concepts/language_model.hpp"
#include "icpi/http/options.hpp"
#include "server_words.hpp"
#include "url.hpp"

namespace icpi::http {

/// What a request is written with besides the CompletionRequest.
struct WireContext {
  const Options& options;
  const std::string& model;
  const BodyShape& shape;
  ServerKind kind = ServerKind::generic;
  std::optional<std::size_t> slot;  ///< llama-server: the slot to use
};

/// What a server's answer says about one prompt.
struct Reading {
  enum class Outcome : std::uint8_t {
    answer,      ///< `completion` holds it
    unreadable,  ///< not what was agreed; asking again may help
    refused,     ///< a whole answer that cannot be used; asking again cannot help
    broken_off   ///< the server says that it failed while it answered: see `status`
  };
  Outcome outcome = Outcome::unreadable;
  Completion completion;  ///< its usage counts whatever the outcome is
  std::string problem;
  long status = 0;  ///< the HTTP status that a failure would have had; 0: the server does not say
  bool has_usage = false;
  Cleaning cleaning;         ///< of a chat answer
  bool off_choices = false;  ///< the answer is none of the choices that were given
};

/// One way of writing requests and reading answers. Stateless.
class DialectStrategy {
 public:
  DialectStrategy() = default;
  DialectStrategy(const DialectStrategy&) = delete;
  DialectStrategy& operator=(const DialectStrategy&) = delete;
  virtual ~DialectStrategy() = default;

  /// Whether several prompts may share one request.
  [[nodiscard]] virtual bool prompt_arrays() const noexcept { return false; }
  /// Whether it can ask for log-probabilities.
  [[nodiscard]] virtual bool logprobs() const noexcept { return true; }
  [[nodiscard]] virtual std::string url(const BaseUrl& base) const = 0;
  /// Appends the JSON body. `requests` has one element unless prompt_arrays(); its texts are UTF-8.
  virtual void write(const WireContext& context, std::span<const CompletionRequest* const> requests,
                     std::string& body) const = 0;
  /// Fills readings[i] for requests[i] from an answer with status 200.
  virtual void read(const nlohmann::json& answer, std::span<const CompletionRequest* const> requests,
                    std::span<Reading> readings) const = 0;
};

[[nodiscard]] const DialectStrategy& strategy(Dialect dialect) noexcept;

/// Whether two requests may differ in their prompts alone, so that one HTTP request can carry both.
[[nodiscard]] bool combinable(const CompletionRequest& a, const CompletionRequest& b);

/// Why `request` cannot be sent to any server; empty: it can, unless its choices stand in the way (find_choice_fault).
[[nodiscard]] std::string find_fault(const CompletionRequest& request, const Options& options);

/// The seed as every server takes it: 31 bits made of the request's seed and sample index.
[[nodiscard]] std::optional<std::uint32_t> wire_seed(const CompletionRequest& request) noexcept;

}  // namespace icpi::http
