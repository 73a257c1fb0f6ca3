// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace icpi::program {

/// A file that is being written. Errors are noticed: the program never ends well with half a file.
class OutputFile {
 public:
  /// `name`: what errors call it. Throws Error when it cannot be created.
  OutputFile(const std::filesystem::path& path, const std::filesystem::path& name);
  /// The same, by its own name.
  explicit OutputFile(const std::filesystem::path& path) : OutputFile(path, path) {}

  /// Adds a text. Throws Error when that fails.
  void write(std::string_view text);
  /// Hands everything to the operating system. Throws Error when that fails.
  void flush();

 private:
  std::string name_;
  std::ofstream out_;
};

/// A file that is there whole or not at all: it is written under another name beside its place. What is there and no
/// regular file, as a terminal or a pipe, is written to at once.
class FreshFile {
 public:
  static constexpr std::string_view suffix = ".new";  ///< of that name; what is left of it was never whole

  /// Throws Error when it cannot be created.
  explicit FreshFile(const std::filesystem::path& path);
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;
  /// What did not take its place is removed.
  ~FreshFile();

  [[nodiscard]] OutputFile& text() noexcept { return text_; }
  /// Replaces what is in its place, if anything; nothing is written to it afterwards. Throws Error when that fails.
  void take_place();

 private:
  std::filesystem::path place_;
  std::filesystem::path written_;  ///< where it is until then; empty: it is there
  OutputFile text_;
};

/// A new folder that is removed with its owner.
class TemporaryFolder {
 public:
  /// `name`: how its name begins; `parent`: in which folder. Throws Error when it cannot be made.
  explicit TemporaryFolder(std::string_view name,
                           const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Writes a whole file: see FreshFile. Throws Error, naming file and reason, when that fails; then what was there before
/// still is.
void write_file(const std::filesystem::path& path, std::string_view text);

/// The file that --json names, to be written; nullptr: none. Throws InvalidArgument when it cannot be.
std::unique_ptr<FreshFile> json_file(const std::string& path);

/// Reads a whole file. Throws InvalidArgument when that fails.
std::string read_file(const std::filesystem::path& path);

/// Throws InvalidArgument unless `path` can become the folder of a run: it does not exist, or is an empty folder.
/// Changes nothing.
void check_run_directory(const std::filesystem::path& path);

/// Makes the folder. Throws InvalidArgument as check_run_directory(), and when it cannot be written.
void make_run_directory(const std::filesystem::path& path);

}  // namespace icpi::program
