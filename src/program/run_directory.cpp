// SPDX-License-Identifier: MIT
#include "run_directory.hpp"

#include <fmt/format.h>

#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <system_error>

#include "icpi/core/error.hpp"

namespace icpi::program {

OutputFile::OutputFile(const std::filesystem::path& path, const std::filesystem::path& name)
    : name_(name.string()), out_(path, std::ios::binary) {
  if (!out_) throw Error(fmt::format("cannot create {}: {}", name_, std::generic_category().message(errno)));
}

void OutputFile::write(std::string_view text) {
  out_.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out_) throw Error(fmt::format("writing {} failed: {}", name_, std::generic_category().message(errno)));
}

void OutputFile::flush() {
  out_.flush();
  if (!out_) throw Error(fmt::format("writing {} failed: {}", name_, std::generic_category().message(errno)));
}

namespace {

/// The place itself, where a link points to it.
std::filesystem::path place_of(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_symlink(path, error) ? std::filesystem::weakly_canonical(path, error) : path;
}

/// Where a file is written until it takes its place.
std::filesystem::path fresh_name(const std::filesystem::path& place) {
  std::error_code error;
  const auto status = std::filesystem::status(place, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) return {};
  return place.string().append(FreshFile::suffix);
}

}  // namespace

FreshFile::FreshFile(const std::filesystem::path& path)
    : place_(place_of(path)), written_(fresh_name(place_)), text_(written_.empty() ? place_ : written_, path) {}

FreshFile::~FreshFile() {
  std::error_code error;
  if (!written_.empty()) std::filesystem::remove(written_, error);
}

void FreshFile::take_place() {
  text_.flush();
  if (written_.empty()) return;
  std::error_code error;
  std::filesystem::rename(written_, place_, error);
  if (error) throw Error(fmt::format("writing {} failed: {}", place_.string(), error.message()));
  written_.clear();
}

TemporaryFolder::TemporaryFolder(std::string_view name, const std::filesystem::path& parent) {
  std::string pattern = (parent / fmt::format("{}-XXXXXX", name)).string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw Error(fmt::format("cannot make a folder {}: {}", pattern, std::generic_category().message(errno)));
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  FreshFile file(path);
  file.text().write(text);
  file.take_place();
}

std::unique_ptr<FreshFile> json_file(const std::string& path) {
  if (path.empty()) return nullptr;
  try {
    return std::make_unique<FreshFile>(path);
  } catch (const Error& error) {
    throw InvalidArgument(fmt::format("--json '{}': {}", path, error.what()));
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw InvalidArgument(fmt::format("cannot read {}: it is a folder", path.string()));
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) throw InvalidArgument(fmt::format("cannot read {}", path.string()));
  return text;
}

void check_run_directory(const std::filesystem::path& path) {
  std::error_code error;
  const auto refuse = [&](std::string_view why) {
    throw InvalidArgument(
        fmt::format("--out '{}': {}; allowed: a new or empty folder that can be written", path.string(), why));
  };
  if (path.empty()) refuse("the name is empty");
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    if (error && error != std::errc::no_such_file_or_directory) refuse(error.message());
    return;
  }
  if (!std::filesystem::is_directory(status)) refuse("it is not a folder");
  if (!std::filesystem::is_empty(path, error) && !error) refuse("the folder is not empty");
  if (error) refuse(error.message());
  if (access(path.c_str(), W_OK | X_OK) != 0) refuse("the folder cannot be written");
}

void make_run_directory(const std::filesystem::path& path) {
  check_run_directory(path);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && access(path.c_str(), W_OK | X_OK) == 0) return;
  throw InvalidArgument(fmt::format("--out '{}': {}; allowed: a new or empty folder that can be written", path.string(),
                                    error ? error.message() : "the folder cannot be written"));
}

}  // namespace icpi::program
