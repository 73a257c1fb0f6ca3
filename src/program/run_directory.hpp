// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace icpi::program {

/// A file that is being written. Errors are noticed: the program never ends well with half a file.
class OutputFile {
 public:
  /// Throws Error when it cannot be created.
  explicit OutputFile(const std::filesystem::path& path);

  /// Adds a text. Throws Error when that fails.
  void write(std::string_view text);
  /// Hands everything to the operating system. Throws Error when that fails.
  void flush();

 private:
  std::string name_;
  std::ofstream out_;
};

/// A new folder that is removed with its owner.
class TemporaryFolder {
 public:
  /// `name`: how its name begins. Throws Error when it cannot be made.
  explicit TemporaryFolder(std::string_view name);
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Writes a whole file. Throws Error when that fails.
void write_file(const std::filesystem::path& path, std::string_view text);

/// Reads a whole file. Throws InvalidArgument when that fails.
std::string read_file(const std::filesystem::path& path);

/// Throws InvalidArgument unless `path` can become the folder of a run: it does not exist, or is an empty folder.
/// Changes nothing.
void check_run_directory(const std::filesystem::path& path);

/// Makes the folder. Throws InvalidArgument as check_run_directory(), and when it cannot be written.
void make_run_directory(const std::filesystem::path& path);

}  // namespace icpi::program
