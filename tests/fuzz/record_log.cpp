// SPDX-License-Identifier: MIT
// Any file as the log of a run, and sound logs that were cut off or changed in one bit: refused by name, or the records
// from the beginning on, and records can be added.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/experiment/record_log.hpp"

namespace {

using namespace icpi;

const std::filesystem::path& log_file() {
  static const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("icpi-fuzz-log-" + std::to_string(getpid()));
  return file;
}

void write_file(const std::string& bytes) { std::ofstream(log_file(), std::ios::binary) << bytes; }

std::vector<std::string> records_of(const RecordLog& log) {
  std::vector<std::string> records;
  log.for_each_recorded([&](std::string_view record) { records.emplace_back(record); });
  return records;
}

/// Opens the file; whatever can be opened can be gone on with. `expected`: what was once recorded, if that is known.
void open_file(const std::vector<std::string>* expected) {
  std::vector<std::string> found;
  try {
    RecordLog log(log_file(), Durability::process);
    found = records_of(log);
    log.append(JsonLine{}.add("more", true).str());
  } catch (const InvalidArgument&) {  // refused by name
    return;
  }
  if (expected != nullptr) {
    fuzz::require(found.size() <= expected->size(), "no record appears");
    for (std::size_t i = 0; i < found.size(); ++i)
      fuzz::require(found[i] + '}' == (*expected)[i], "the records are the first ones");
  }
  const RecordLog again(log_file(), Durability::process);
  fuzz::require(again.dropped() == 0 && records_of(again).size() == found.size() + 1, "a log goes on");
}

/// A sound log of these texts; returns its records.
std::vector<std::string> record(const std::vector<std::string>& texts) {
  std::vector<std::string> records;
  RecordLog log(log_file(), R"({"command":"fuzz"})", Durability::process);
  for (const auto& text : texts) log.append(records.emplace_back(JsonLine{}.add("text", text).str()));
  return records;
}

void damage(std::size_t place, bool cut) {
  std::ifstream in(log_file(), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  in.close();
  if (cut) {
    bytes.resize(place % bytes.size());
  } else {
    bytes[place / 8 % bytes.size()] ^= static_cast<char>(1U << place % 8);
  }
  write_file(bytes);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const unsigned flags = input.byte();
  std::filesystem::remove(log_file());
  if ((flags & 1U) != 0) {
    write_file(std::string(input.rest()));
    open_file(nullptr);
  } else {
    const std::size_t place = input.byte() << 8U | input.byte();
    const auto records = record(input.records(8));
    damage(place, (flags & 2U) != 0);
    open_file(&records);
  }
  std::filesystem::remove(log_file());
  return 0;
}
