// SPDX-License-Identifier: MIT
// Every C++ block of README and docs/ stands in a file that is compiled: its lines, in this order, indentation aside.
// The line before the block names the file: <!-- examples/minimal.cpp -->
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = ICPI_SOURCE_DIR;

std::string read(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

struct Snippet {
  std::string where;
  std::string source;  ///< empty: none was named
  std::string text;
};

std::vector<Snippet> snippets_of(const fs::path& page) {
  std::vector<Snippet> snippets;
  std::istringstream lines(read(page));
  std::string line;
  std::string before;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.starts_with("```cpp")) {
      Snippet snippet{page.lexically_relative(root).string() + ":" + std::to_string(number), {}, {}};
      if (before.starts_with("<!-- ") && before.ends_with(" -->")) snippet.source = before.substr(5, before.size() - 9);
      for (; std::getline(lines, line) && line != "```"; ++number) snippet.text += line + '\n';
      ++number;
      snippets.push_back(snippet);
    }
    before = line;
  }
  return snippets;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    line.erase(0, line.find_first_not_of(' '));
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

/// The first line of the snippet that the source lacks after those before; empty: it has all.
std::string missing_line(const std::string& snippet, const std::string& source) {
  const auto lines = lines_of(source);
  auto at = lines.begin();
  for (const auto& line : lines_of(snippet)) {
    at = std::find(at, lines.end(), line);
    if (at++ == lines.end()) return line;
  }
  return {};
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found{root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST(Snippets, StandInFilesThatAreCompiled) {
  std::size_t count = 0;
  for (const auto& page : pages()) {
    for (const auto& snippet : snippets_of(page)) {
      ++count;
      const std::string source = snippet.source.empty() ? "" : read(root / snippet.source);
      ASSERT_FALSE(source.empty()) << snippet.where << ": no source file is named, or it cannot be read";
      EXPECT_EQ(missing_line(snippet.text, source), "") << snippet.where << " is not in " << snippet.source;
    }
  }
  EXPECT_GE(count, 8U);
}

/// The text outside of code.
std::string prose(const std::string& text) {
  std::string kept;
  std::istringstream lines(text);
  bool block = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) block = !block;
    bool code = block;
    for (const char letter : line + '\n') {
      if (letter == '`') code = !code;
      if (!code) kept += letter;
    }
  }
  return kept;
}

/// The targets of [text](target) that are files.
std::vector<std::string> links_of(const std::string& page) {
  std::vector<std::string> links;
  const std::string text = prose(page);
  for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 1)) {
    const std::string target = text.substr(at + 2, text.find_first_of(")#", at + 2) - at - 2);
    if (!target.empty() && target.find("://") == std::string::npos) links.push_back(target);
  }
  return links;
}

TEST(Links, LeadToFiles) {
  for (const auto& page : pages()) {
    for (const auto& link : links_of(read(page))) {
      EXPECT_TRUE(fs::exists(page.parent_path() / link)) << page.lexically_relative(root) << " links to " << link;
    }
  }
}

}  // namespace
