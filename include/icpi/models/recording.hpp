// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

/// How a RecordingModel writes.
struct RecordingOptions {
  bool prompts = true;  ///< write the texts of the requests too; answers alone are enough to replay
};

#if defined(ICPI_HEADER_ONLY)

// Recordings are read by a library for JSON, which only the compiled library is built with.

template <LanguageModel Model>
class RecordingModel {
 public:
  RecordingModel(Model, const std::string&, RecordingOptions = {}) = delete;  // recording needs the library icpi::icpi
};

class ReplayingModel {
 public:
  explicit ReplayingModel(const std::string&) = delete;  // replaying needs the library icpi::icpi
};

#else

/// Readies a file for more records: creates it if there is none, and removes a last line that was cut off while it was
/// written. Throws InvalidArgument when it holds something else than a recording, a line of it is damaged, which is named,
/// or it cannot be written.
ICPI_API void prepare_recording(const std::string& file);

namespace detail {

/// The file of a RecordingModel.
/// Thread-safety: one object by one thread at a time.
class ICPI_API RecordingFile {
 public:
  /// See RecordingModel.
  RecordingFile(const std::string& file, RecordingOptions options);
  RecordingFile(RecordingFile&&) noexcept;             ///< leaves nothing behind that may be used
  RecordingFile& operator=(RecordingFile&&) noexcept;  ///< as construction
  ~RecordingFile();

  /// Adds answers. Throws Error when they cannot be written.
  void add(std::span<const CompletionRequest> requests, std::span<const Completion> completions);

 private:
  struct State;
  Owned<State> state_;
};

}  // namespace detail

/// Answers as another model does, and writes down every request and answer: one line of JSON each, checksummed, added
/// to a file that ReplayingModel reads. Failed items are written too: a replay fails where the run failed.
/// Thread-safety: one thread at a time.
template <LanguageModel Model>
  requires std::movable<Model>
class RecordingModel : public ModelDecorator<Model> {
 public:
  /// Adds to `file`, a path; creates it if there is none; removes a last line that was cut off. Throws InvalidArgument
  /// when it cannot be written, holds something else than a recording, or a damaged line.
  RecordingModel(Model model, const std::string& file, RecordingOptions options = {})
      : ModelDecorator<Model>(std::move(model)), file_(file, options) {}

  /// See LanguageModel. The answers are on their way to the file when it returns. Throws Error when they cannot be
  /// written: then `completions` are there nevertheless.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    this->model_.complete(requests, completions);
    file_.add(requests, completions);
  }

  /// Of a model that knows them at run time only; without what is not recorded.
  [[nodiscard]] Capabilities capabilities() const
    requires requires(const Model& model) { model.capabilities(); }
  {
    Capabilities result = capabilities_of(this->model_);
    result.scores = result.asynchronous = false;
    return result;
  }

 private:
  detail::RecordingFile file_;
};

/// Answers from what a RecordingModel wrote, without a model: for exact re-runs. Equal requests get equal answers, the
/// first that was recorded; a request that was not recorded is an `invalid_request`. Copies share what was read.
/// Thread-safety: one thread at a time.
class ICPI_API ReplayingModel {
 public:
  static constexpr bool constrains_choices = true;  ///< as the model did that was recorded; see ConstrainsChoices

  /// Reads `file`, a path. A last line without its newline was cut off while it was written and is left out. Throws
  /// InvalidArgument, naming file and line, when it cannot be read or a line is damaged.
  explicit ReplayingModel(const std::string& file);

  [[nodiscard]] std::string identity() const { return "replay/" + name_; }  ///< names the file

  /// Log-probabilities where some were recorded.
  [[nodiscard]] Capabilities capabilities() const;

  /// See LanguageModel. Throws InvalidArgument when the spans differ in length.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) const;

  [[nodiscard]] std::size_t size() const noexcept;  ///< different requests known

 private:
  struct Answers;

  std::string name_;
  std::shared_ptr<const Answers> answers_;
};

#endif

}  // namespace icpi
