// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain_program.hpp"
#include "icpi/models/budget.hpp"
#include "icpi/models/induction.hpp"

namespace icpi::program {

/// A model behind one or several servers.
struct HttpChoice {
  std::string service;                     ///< a known one, whose needs are met unless the rest says otherwise
  std::vector<std::string> base_urls;      ///< empty: OPENAI_BASE_URL, else a llama-server on this machine
  std::string endpoints_file;              ///< lists them in place of base_urls; empty: none
  std::vector<std::string> moved_from;     ///< stand for base_urls in the model's identity
  std::string server;                      ///< which software answers; empty: the service's, else automatic
  std::string model_name;                  ///< as the server calls it; empty: the only one it lists
  std::optional<std::string> api_key_env;  ///< name of the variable with the key; empty: no key; not given:
                                           ///< OPENAI_API_KEY, if it is set
  std::string dialect;                     ///< how the servers are spoken to; empty: the service's, else completions
  std::string chat_style;                  ///< of llama too: continuation or turns; empty: continuation
  std::optional<std::string>
      instruction;                        ///< of llama too: the system message; empty: none; not given: the style's own
  std::string choices;                    ///< how choices are sent; empty: the service's, else automatic
  std::string thinking_tokens;            ///< empty: the service's
  bool logprobs = false;                  ///< the servers give log-probabilities
  std::string effort;                     ///< of thinking, in the service's word; empty: not said
  std::string concurrency = "32";         ///< requests in flight per server
  std::string requests_per_minute = "0";  ///< over all servers; 0: no limit
  std::string tokens_per_minute = "0";    ///< the same
  std::vector<std::string> omit;          ///< fields of the body that are not sent
  std::vector<std::string> rename;        ///< "old=new"
  std::string extra;                      ///< a JSON object: members of every body
  std::vector<std::string> headers;       ///< "NAME=VALUE", "NAME=env:VARIABLE", "NAME=file:PATH"
  std::vector<std::string> query;         ///< the same, for the URLs
  std::string prompt_cache;               ///< none, key, explicit; empty: the service's
  std::string api_key_header;             ///< that holds the key as it is; empty: Authorization
  std::string ca_file;                    ///< trusted instead of the system's certificates
};

/// A GGUF file in this process. Numbers: 0 leaves the choice to icpi::llama.
struct LlamaChoice {
  std::string path;               ///< the file
  std::string context = "0";      ///< tokens of prompt and completion
  std::string kv_mib = "0";       ///< memory for keys and values
  std::string threads = "0";      ///< that compute, for each model
  std::string gpu_layers = "0";   ///< layers on a GPU: a number, or all
  std::string draft;              ///< who guesses answers; empty: the library's default
  std::string backend_directory;  ///< where ggml's backends are; empty: where ggml looks
};

/// What may be spent, and what tokens cost. Empty: no limit; no price.
struct BudgetChoice {
  std::string calls;
  std::string tokens;  ///< of prompts and completions together
  std::string cost;    ///< in the currency of the prices
  std::string prompt_price;
  std::string cached_price;
  std::string cache_write_price;
  std::string completion_price;
  std::string price_file;  ///< JSON: see prices.hpp
};

/// Batches in the place of single requests.
struct BatchChoice {
  std::string file;   ///< keeps the name of the batch that is under way; empty: single requests
  std::string pause;  ///< seconds between two looks at it; empty: a minute
};

/// Everything that the command line says about a model: see model_options.cpp for the words.
struct ModelChoice {
  /// An option of the command line that is for some models alone.
  struct Said {
    std::string option;  ///< its name
    std::string models;  ///< their names

    /// Whether it is for this one.
    [[nodiscard]] bool goes_with(std::string_view model) const { return models.find(model) != std::string::npos; }
  };

  std::string name = "induction";                            ///< see model_sources()
  InductionVersion embedded = InductionVersion::calibrated;  ///< which one "induction" is: see model_for()
  std::vector<Said> said;                                    ///< what must go with the model
  HttpChoice http;
  LlamaChoice llama;
  std::string cache;            ///< keep answers in this file, over runs; empty: do not
  bool require_cache = false;   ///< answer from the cache alone
  bool cache_optional = false;  ///< go on without the cache when its file fails
  bool keep_going = false;      ///< although the first answers cannot be read
  BudgetChoice budget;
  BatchChoice batch;
  std::string record;  ///< write every request and answer to this file; empty: do not
};

/// How answers from servers looked.
struct AnswerCounts {
  std::uint64_t cleaned = 0;    ///< something was taken away around the answer before it was read
  std::uint64_t thoughts = 0;   ///< came with a thought, which was kept apart
  std::uint64_t unusable = 0;   ///< whole and paid for, and no use
  std::uint64_t off_list = 0;   ///< none of the choices that were given
  std::uint64_t uncounted = 0;  ///< did not say how many tokens they took
};

/// What the models of one command share: the budget, and how the cache did. Thread-safe.
class ModelLedger {
 public:
  /// Throws InvalidArgument for limits and prices that make no sense.
  explicit ModelLedger(const ModelChoice& choice) : ModelLedger(std::span(&choice, 1)) {}
  /// Of several models, at least one, which differ in their names: those of equal prices share an account.
  explicit ModelLedger(std::span<const ModelChoice> choices);

  /// For the first model to spend from.
  [[nodiscard]] const std::shared_ptr<BudgetAccount>& account() const noexcept { return accounts_.front().second; }
  /// For the model of this name to spend from.
  [[nodiscard]] const std::shared_ptr<BudgetAccount>& account(std::string_view model) const;
  /// What may be spent, at the prices of a model that has some.
  [[nodiscard]] const Budget& limits() const;
  /// Adds what a cache counted.
  void add_cache(std::uint64_t hits, std::uint64_t misses);
  /// Adds what was done with the answers of a model behind servers.
  void add_answers(const AnswerCounts& counts);
  /// What was asked, what it cost and what the cache saved, for a person; ends in a newline.
  [[nodiscard]] std::string report() const;
  /// What servers took beyond what was set aside for it, in one line without a newline; empty: nothing.
  [[nodiscard]] std::string overrun() const;

 private:
  [[nodiscard]] std::vector<BudgetAccount*> all_accounts() const;

  std::vector<std::pair<std::string, std::shared_ptr<BudgetAccount>>> accounts_;  ///< by the model's name
  mutable std::mutex mutex_;
  bool cached_ = false;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  AnswerCounts answers_;
};

/// Says what was asked and what it cost, and warns of what went beyond the budget.
void tell_costs(const ModelLedger& ledger, std::ostream& out);

/// Does what asks models. Where that ends early, for want of budget perhaps, it tells the costs, too.
template <class Work>
auto telling_costs(const ModelLedger& ledger, std::ostream& out, Work&& work) {
  try {
    return work();
  } catch (...) {
    tell_costs(ledger, out);
    throw;
  }
}

/// A kind of model that the program knows.
struct ModelSource {
  std::string_view name;
  std::string_view meaning;
  bool available = true;  ///< in this build
  /// Throws InvalidArgument for choices that it does not take. `hints`: of the formatter in use. `ledger`: told in the
  /// end how answers looked; may be nullptr.
  ModelFactory (*factory)(const ModelChoice& choice, const DomainProgram& domain, bool hints,
                          const std::shared_ptr<ModelLedger>& ledger);
  /// What is known about the model beyond icpi::Capabilities, in lines for a person. Asks servers; throws as `factory`,
  /// and Error for servers that do not answer. nullptr: nothing.
  std::string (*describe)(const ModelChoice& choice) = nullptr;
};

/// What looks at the first answers of that model; nullptr: they need no looking at.
std::shared_ptr<ReadabilityWatch> watch_of(const ModelChoice& choice);

/// What makes the embedded model, which takes the place of others where questions are only counted.
ModelFactory embedded_model(InductionVersion version = InductionVersion::calibrated);

/// What answers in place of a model that costs something: the oracle, or where there is none the embedded model.
ModelFactory stand_in(const DomainProgram& domain, bool hints);

/// Every kind, those that this build lacks included.
const std::vector<ModelSource>& model_sources();

/// What makes the models for a method: the chosen kind behind budget, cache and recording. `ledger` nullptr: the chosen kind alone, to look at; it writes nothing. Throws
/// InvalidArgument for an unknown or missing kind and for choices that it does not take.
ModelFactory model_factory(const ModelChoice& choice, const DomainProgram& domain, bool hints,
                           const std::shared_ptr<ModelLedger>& ledger);

/// Whether the cache and the recording that the choice names can be used; creates them. Throws InvalidArgument for files
/// that are something else, and what opening them throws.
void check_answer_files(const ModelChoice& choice);

/// What is known about the chosen model, in lines for a person. Asks servers. Throws as they do.
std::string describe_model(const ModelChoice& choice);

/// Throws InvalidArgument with the known names unless there is such a kind and this build has it.
void check_model_name(std::string_view name);

// Defined by the source file that fits the build: with the component or without.
ModelSource http_source();
ModelSource llama_source();

/// Whether the cache that was chosen can be used; creates it. Throws InvalidArgument when this build has none, and what
/// opening it throws.
void check_cache(const ModelChoice& choice);
/// `make`, behind that cache. Throws InvalidArgument when this build has none.
ModelFactory with_cache(ModelFactory make, const ModelChoice& choice, std::shared_ptr<ModelLedger> ledger);

}  // namespace icpi::program
