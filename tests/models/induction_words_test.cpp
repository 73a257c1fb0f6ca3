// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/domains/all.hpp"

namespace icpi {
namespace {

std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += c;
    } else {
      if (!word.empty()) words.insert(word);
      word.clear();
    }
  }
  if (!word.empty()) words.insert(word);
  return words;
}

/// All words that random episodes of a domain write.
template <class Env>
std::set<std::string> domain_words() {
  Env env;
  const default_formatter_t<Env> formatter;
  RandomStream random{RandomKey(1)};
  std::string text;
  for (std::uint64_t episode = 0; episode < 40; ++episode) {
    text += formatter.episode_start();
    auto observation = env.reset(episode);
    for (bool running = true; running;) {
      const auto action = env.actions()[random.index(env.actions().size())];
      const auto step = env.step(action);
      text += formatter.observation(observation) + formatter.action(action) + formatter.reward(step.reward) +
              formatter.termination(step.terminated);
      observation = step.observation;
      running = !step.terminated && !step.truncated;
    }
  }
  return words_of(text);
}

/// The string literals of C++ source without raw strings; include directives and comments are skipped.
std::string literals_of(const std::string& source) {
  std::istringstream lines(source);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#include")) continue;
    bool inside = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (!inside && line.compare(i, 2, "//") == 0) break;
      if (!inside && line.compare(i, 3, "'\"'") == 0) i += 2;
      if (inside && line[i] == '\\') {
        ++i;
      } else if (line[i] == '"') {
        inside = !inside;
        result += ' ';
      } else if (inside) {
        result += line[i];
      }
    }
  }
  return result;
}

std::string model_sources() {
  const std::filesystem::path models = std::filesystem::path(ICPI_GOLDEN_DIR) / "../../include/icpi/models";
  std::vector<std::filesystem::path> files{models / "induction.hpp"};
  for (const auto& entry : std::filesystem::directory_iterator(models / "induction")) files.push_back(entry.path());
  EXPECT_GT(files.size(), 5U);
  std::string text;
  for (const auto& file : files) {
    std::ifstream in(file);
    EXPECT_TRUE(in.good()) << file;
    std::ostringstream content;
    content << in.rdbuf();
    text += content.str();
  }
  return text;
}

TEST(InductionWords, LiteralsAreFound) {
  EXPECT_EQ(words_of(literals_of("x = \"one \\\"two\"; // \"three\"\ny = '\"'; z = \"four\";\n")),
            (std::set<std::string>{"one", "two", "four"}));
}

TEST(InductionWords, TheModelKnowsNoWordOfAnyDomain) {
  const std::set<std::string> known = words_of(literals_of(model_sources()));
  EXPECT_FALSE(known.empty());
  for_each_domain([&](auto env) {
    const std::set<std::string> words = domain_words<decltype(env)>();
    EXPECT_GT(words.size(), 3U);
    for (const std::string& word : words) EXPECT_FALSE(known.contains(word)) << decltype(env)::name << ": " << word;
  });
}

}  // namespace
}  // namespace icpi
