// SPDX-License-Identifier: MIT
// Every line of docs/threat_model.md names what holds it, and that exists.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

const fs::path root = ICPI_SOURCE_DIR;

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Whether a source of tests/<folder> has the test.
bool has_test(const std::string& folder, const std::string& suite, const std::string& name) {
  const std::string wanted = "(" + suite + ", " + name + ")";
  if (!fs::is_directory(root / "tests" / folder)) return false;
  for (const auto& each : fs::directory_iterator(root / "tests" / folder))
    if (each.path().extension() == ".cpp" && read(each.path()).find(wanted) != std::string::npos) return true;
  return false;
}

/// Whether what is named between backquotes is there.
bool exists(const std::string& name) {
  std::smatch part;
  static const std::regex test(R"((\w+)\.(\w+)\.(\w+))");
  static const std::regex check(R"((fuzz|layout)\.(\w+))");
  if (std::regex_match(name, part, test)) return has_test(part[1], part[2], part[3]);
  if (!std::regex_match(name, part, check)) return false;
  if (part[1] == "fuzz") return fs::exists(root / "tests/fuzz" / (part[2].str() + ".cpp"));
  return read(root / "tests/layout/CMakeLists.txt").find("NAME " + name + " ") != std::string::npos;
}

TEST(ThreatModel, EveryLineNamesTestsThatExist) {
  std::istringstream page(read(root / "docs/threat_model.md"));
  static const std::regex quoted("`([^`]+)`");
  std::size_t lines = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || line.ends_with("| test |")) continue;
    ++lines;
    const std::string tests = line.substr(line.rfind('|', line.size() - 2));
    auto name = std::sregex_iterator(tests.begin(), tests.end(), quoted);
    EXPECT_NE(name, std::sregex_iterator()) << "names no test: " << line;
    for (; name != std::sregex_iterator(); ++name) EXPECT_TRUE(exists((*name)[1])) << (*name)[1];
  }
  EXPECT_GE(lines, 30U);
  EXPECT_FALSE(exists("http.Key.IsNoTest"));
  EXPECT_FALSE(exists("fuzz.nothing"));
  EXPECT_FALSE(exists("layout.nothing"));
}

}  // namespace
