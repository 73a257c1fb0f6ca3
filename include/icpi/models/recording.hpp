// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/checked_line.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/any_language_model.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

/// How a RecordingModel writes.
struct RecordingOptions {
  bool prompts = true;  ///< write the texts of the requests too; answers alone are enough to replay
};

/// Readies a file for more records: creates it if there is none, and removes a last line that was cut off while it was
/// written. Throws InvalidArgument when it holds something else than a recording, or cannot be written.
inline void prepare_recording(const std::filesystem::path& file) {
  constexpr std::string_view beginning = R"({"request":")";
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const bool is_whole = in && in.tellg() > 0 && in.seekg(-1, std::ios::end) && in.peek() == '\n';
  in.seekg(0);
  std::uintmax_t whole = 0;
  for (std::string line; (whole == 0 || !is_whole) && std::getline(in, line);) {
    const bool ends = !in.eof();
    const bool begins = line.starts_with(beginning) || (!ends && beginning.starts_with(line));
    if (whole == 0 && !(begins && (!ends || detail::checksum_holds(line))))
      throw InvalidArgument(fmt::format("recording: {} is there and is something else", file.string()));
    if (ends) whole += line.size() + 1;
  }
  in.close();
  std::error_code error;
  if (!is_whole && std::filesystem::is_regular_file(file, error) && std::filesystem::file_size(file) > whole)
    std::filesystem::resize_file(file, whole, error);
  if (!std::ofstream(file, std::ios::app | std::ios::binary))
    throw InvalidArgument(fmt::format("recording: cannot write {}", file.string()));
}

/// Answers as another model does, and writes down every request and answer: one line of JSON each, checksummed, added
/// to a file that ReplayingModel reads. Failed items are written too: a replay fails where the run failed.
/// Thread-safety: one thread at a time.
template <LanguageModel Model>
  requires std::movable<Model>
class RecordingModel : public ModelDecorator<Model> {
 public:
  /// Adds to `file`; creates it if there is none; removes a last line that was cut off. Throws InvalidArgument when it
  /// cannot be written, or holds something else than a recording.
  RecordingModel(Model model, const std::filesystem::path& file, RecordingOptions options = {})
      : ModelDecorator<Model>(std::move(model)), name_(file.string()), options_(options) {
    prepare_recording(file);
    out_.open(file, std::ios::app | std::ios::binary);
    if (!out_) throw InvalidArgument(fmt::format("recording: cannot write {}", name_));
  }

  /// See LanguageModel. The answers are on their way to the file when it returns. Throws Error when they cannot be
  /// written: then `completions` are there nevertheless.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    this->model_.complete(requests, completions);
    for (std::size_t i = 0; i < requests.size(); ++i)
      out_ << completion_record(requests[i], completions[i], options_.prompts) << '\n';
    out_.flush();
    if (!out_) throw Error(fmt::format("recording: writing {} failed", name_));
  }

  /// Of a model that knows them at run time only; without what is not recorded.
  [[nodiscard]] Capabilities capabilities() const
    requires requires(const Model& model) {
      { model.capabilities() } -> std::same_as<Capabilities>;
    }
  {
    Capabilities result = this->model_.capabilities();
    result.scores = result.asynchronous = false;
    return result;
  }

 private:
  std::string name_;
  RecordingOptions options_;
  std::ofstream out_;
};

/// Answers from what a RecordingModel wrote, without a model: for exact re-runs. Equal requests get equal answers, the
/// first that was recorded; a request that was not recorded is an `invalid_request`.
/// Thread-safety: one thread at a time.
class ReplayingModel {
 public:
  /// Reads `file`. A last line without its newline was cut off while it was written and is left out. Throws
  /// InvalidArgument, naming file and line, when it cannot be read or a line is damaged.
  explicit ReplayingModel(const std::filesystem::path& file) : name_(file.string()) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw InvalidArgument(fmt::format("replay: cannot read {}", name_));
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
      if (in.eof()) break;
      try {
        RecordedCompletion record = read_completion_record(line);
        answers_.try_emplace(record.request, std::move(record.completion));
      } catch (const InvalidArgument& error) {
        throw InvalidArgument(fmt::format("replay: {}, line {}: {}", name_, number, error.what()));
      }
    }
  }

  [[nodiscard]] std::string identity() const { return "replay/" + name_; }  ///< names the file

  /// See LanguageModel. Throws InvalidArgument when the spans differ in length.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) const {
    if (requests.size() != completions.size())
      throw InvalidArgument(
          fmt::format("ReplayingModel::complete: {} requests but {} completions", requests.size(), completions.size()));
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto found = answers_.find(fingerprint(requests[i]));
      completions[i] = found != answers_.end() ? found->second : Completion{};
      if (found == answers_.end())
        completions[i].error = {ErrorCategory::invalid_request,
                                fmt::format("this request was not recorded in {}", name_), 0};
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return answers_.size(); }  ///< different requests known

 private:
  std::string name_;
  std::map<RequestFingerprint, Completion> answers_;
};

static_assert(LanguageModel<ReplayingModel>);

}  // namespace icpi
