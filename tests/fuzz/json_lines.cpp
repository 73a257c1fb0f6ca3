// SPDX-License-Identifier: MIT
// Any text as JSON, and as a line of a recording: refused by name, or read; what is written reads back.
#include <string>

#include "fuzz.hpp"
#include "icpi/core/checked_line.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/models/completion_record.hpp"

namespace {

using namespace icpi;

/// A member of any bytes survives being written and read.
void require_round_trip(std::string_view text) {
  JsonLine line;
  line.add("text", text);
  const Json read = Json::parse(line.str());
  fuzz::require(read["text"].string() == text, "strings of any bytes survive");
}

void require_record_survives(std::string_view text) {
  CompletionRequest request;
  request.query = text;
  Completion completion;
  completion.text = text;
  completion.finish = FinishReason::length;
  completion.tokens = {{std::string(text), -0.5}};
  completion.error = {ErrorCategory::timeout, std::string(text), 1.5};
  const auto read = read_completion_record(completion_record(request, completion));
  fuzz::require(read.completion == completion && read.request == fingerprint(request), "records survive");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  const std::string text(input.rest());
  try {
    const Json value = Json::parse(text);
    if (value.kind() == Json::Kind::number) (void)value.number();
    if (value.kind() == Json::Kind::string) require_round_trip(value.string());
  } catch (const InvalidArgument&) {  // refused
  }
  try {
    (void)read_completion_record(text);
  } catch (const InvalidArgument&) {  // refused
  }
  if (!text.empty()) {
    try {  // what is behind the checksum
      (void)read_completion_record(detail::with_checksum(text));
    } catch (const InvalidArgument&) {  // refused
    }
  }
  require_round_trip(text);
  require_record_survives(text);
  return 0;
}
