// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
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

  [[nodiscard]] virtual std::string start(std::span<const CompletionRequest> requests) = 0;
  [[nodiscard]] virtual Look look(const std::string& name) = 0;
  virtual void collect(const std::string& name, std::span<const CompletionRequest> requests,
                       std::span<Completion> answers) = 0;
};

/// Of the model that was chosen. Throws InvalidArgument for models and builds without one. Defined by the source file
/// that fits the build.
std::unique_ptr<BatchService> make_batch_service(const ModelChoice& choice);

/// Puts the questions to the service, or goes on with the batch of them whose name is in `file`, and waits for its end,
/// looking every `pause`. What the questions may take is set aside in `account` before anything is sent. The file is
/// removed when the batch is lost, and else kept: the answers can be had again. Throws InvalidArgument when it names a batch of other questions, Error when the
/// budget has no room for all or the batch is lost, Interrupted when a signal came.
std::vector<Completion> answers_of_batch(BatchService& service, BudgetAccount& account, const std::string& file,
                                         std::span<const CompletionRequest> requests, std::chrono::milliseconds pause);

}  // namespace icpi::program
