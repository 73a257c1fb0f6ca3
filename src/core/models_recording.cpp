// SPDX-License-Identifier: MIT
#include "icpi/models/recording.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <map>
#include <string_view>
#include <system_error>

#include "icpi/core/checked_line.hpp"
#include "icpi/core/checked_lines.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/completion_record.hpp"

namespace icpi {

static_assert(LanguageModel<ReplayingModel>);

void prepare_recording(const std::string& file) {
  constexpr std::string_view beginning = R"({"request":")";
  std::ifstream in(file, std::ios::binary);
  std::uintmax_t whole = 0;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    const bool ends = !in.eof();
    const bool begins = line.starts_with(beginning) || (!ends && beginning.starts_with(line));
    if (++number == 1 && !begins)
      throw InvalidArgument(fmt::format("recording: {} is there and is something else", file));
    if (!ends) break;
    if (!detail::checksum_holds(line))
      throw InvalidArgument(fmt::format("recording: {}, line {}: the checksum does not fit", file, number));
    whole += line.size() + 1;
  }
  in.close();
  std::error_code error;
  if (std::filesystem::is_regular_file(file, error) && std::filesystem::file_size(file) > whole)
    std::filesystem::resize_file(file, whole, error);
  if (!std::ofstream(file, std::ios::app | std::ios::binary))
    throw InvalidArgument(fmt::format("recording: cannot write {}", file));
}

namespace detail {

struct RecordingFile::State {
  std::string name;
  RecordingOptions options;
  std::ofstream out;
};

RecordingFile::RecordingFile(const std::string& file, RecordingOptions options)
    : state_(make_owned<State>(State{file, options, {}})) {
  prepare_recording(file);
  state_->out.open(file, std::ios::app | std::ios::binary);
  if (!state_->out) throw InvalidArgument(fmt::format("recording: cannot write {}", file));
}

RecordingFile::RecordingFile(RecordingFile&&) noexcept = default;
RecordingFile& RecordingFile::operator=(RecordingFile&&) noexcept = default;
RecordingFile::~RecordingFile() = default;

void RecordingFile::add(std::span<const CompletionRequest> requests, std::span<const Completion> completions) {
  for (std::size_t i = 0; i < requests.size(); ++i)
    state_->out << completion_record(requests[i], completions[i], state_->options.prompts) << '\n';
  state_->out.flush();
  if (!state_->out) throw Error(fmt::format("recording: writing {} failed", state_->name));
}

}  // namespace detail

struct ReplayingModel::Answers {
  std::map<RequestFingerprint, Completion> by_request;
  bool logprobs = false;  ///< some have them
};

ReplayingModel::ReplayingModel(const std::string& file) : name_(file) {
  auto answers = std::make_shared<Answers>();
  detail::CheckedLines lines(file, "replay: " + name_, detail::LineOrder::free);
  lines.for_each([&](const Json& line) {
    RecordedCompletion record = detail::read_answer(line);
    answers->logprobs = answers->logprobs || !record.completion.tokens.empty();
    answers->by_request.try_emplace(record.request, std::move(record.completion));
    return true;
  });
  answers_ = std::move(answers);
}

Capabilities ReplayingModel::capabilities() const {
  return {.constrains_choices = constrains_choices, .gives_logprobs = answers_->logprobs};
}

void ReplayingModel::complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) const {
  if (requests.size() != completions.size())
    throw InvalidArgument(
        fmt::format("ReplayingModel::complete: {} requests but {} completions", requests.size(), completions.size()));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto found = answers_->by_request.find(fingerprint(requests[i]));
    completions[i] = found != answers_->by_request.end() ? found->second : Completion{};
    if (found == answers_->by_request.end())
      completions[i].error = {ErrorCategory::invalid_request, fmt::format("this request was not recorded in {}", name_),
                              0};
  }
}

std::size_t ReplayingModel::size() const noexcept { return answers_->by_request.size(); }

}  // namespace icpi
