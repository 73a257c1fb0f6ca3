// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "model_sources.hpp"

namespace icpi::program {

/// A service that answers many questions within a day: http::BatchClient, where this build has it.
class BatchService {
 public:
  /// How far a batch is.
  struct Look {
    bool ended = false;
    bool lost = false;  ///< there are no answers and will be none
    std::string words;  ///< the service's own
  };

  BatchService() = default;
  BatchService(const BatchService&) = delete;
  BatchService& operator=(const BatchService&) = delete;
  virtual ~BatchService() = default;

  /// Of the model that answers.
  [[nodiscard]] virtual std::string identity() const = 0;
  [[nodiscard]] virtual bool constrains_choices() const = 0;
  [[nodiscard]] virtual std::string start(std::span<const CompletionRequest> requests) = 0;
  [[nodiscard]] virtual Look look(const std::string& name) = 0;
  virtual void collect(const std::string& name, std::span<const CompletionRequest> requests,
                       std::span<Completion> answers) = 0;
};

/// Of the model that was chosen. Throws InvalidArgument for models and builds without one. Defined by the source file
/// that fits the build.
std::unique_ptr<BatchService> make_batch_service(const ModelChoice& choice);

/// Puts the questions to the service, or goes on with the batch of them whose name is in the chosen file, and waits for
/// its end. What the questions may take is set aside in `account` before anything is sent. The file is removed when the
/// batch is lost, and else kept: the answers can be had again. Throws InvalidArgument when it names a batch of other
/// questions, Error when the budget has no room for all or the batch is lost, Interrupted when a signal came.
std::vector<Completion> answers_of_batch(BatchService& service, BudgetAccount& account, const BatchChoice& choice,
                                         std::span<const CompletionRequest> requests);

/// Makes models that put what is asked at once into one batch, and wait for its end. The chosen file names the batch that
/// is under way, so that whoever asks the same again, in another process too, gets its answers; a batch of other
/// questions that it names was answered. Models throw Error and Interrupted as answers_of_batch(). Throws InvalidArgument
/// for choices that make no sense.
ModelFactory batched_models(const ModelChoice& choice);

}  // namespace icpi::program
