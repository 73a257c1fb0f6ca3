// SPDX-License-Identifier: MIT
#include "plan_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <type_traits>

// toml++ asserts of a table's name what a file need not have, and lets the compiler take it for granted in a release; the
// case that it excludes is one that it refuses in words a few lines below.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

/// What the sweep gives to every task itself.
constexpr std::array<std::string_view, 6> given_by_sweep{"seeds", "out", "resume", "record", "dry-run", "help"};

/// Says what is wrong in a line of the plan.
[[noreturn]] void refuse_plan(const std::string& file, const toml::node& node, std::string_view why) {
  throw InvalidArgument(fmt::format("{}, line {}: {}", file, node.source().begin.line, why));
}

/// Where the text in quotes ends that begins at `begin`; in one line, there too if it is left open.
std::size_t end_of_quotes(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string three(3, quote);
  const bool lines = text.substr(begin).starts_with(three);
  for (std::size_t at = begin + (lines ? 3 : 1); at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (!lines && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else if (lines && text.substr(at).starts_with(three)) {
      return std::min(text.find_first_not_of(quote, at), text.size());
    }
  }
  return text.size();
}

bool is_ascii(char each) { return static_cast<unsigned char>(each) < 0x80; }

/// Where in a text in quotes a backslash ends a line, or is to escape a character, and what comes next is beyond ASCII.
std::size_t beyond_ascii_after_backslash(std::string_view quoted) {
  for (std::size_t at = quoted.find('\\'); at < quoted.size(); at = quoted.find('\\', at + 2)) {
    const std::size_t next = quoted.find_first_not_of(" \t\r\n", at + 1);
    if (next < quoted.size() && !is_ascii(quoted[next])) return next;
  }
  return std::string_view::npos;
}

/// TOML is ASCII but for texts in quotes and comments; toml++ takes for granted which other characters stand elsewhere,
/// and where it looks for the end of blanks after a backslash.
void refuse_misplaced_characters(const std::string& file, std::string_view text) {
  const auto refuse_at = [&](std::size_t at, std::string_view where) {
    const auto line = 1 + std::ranges::count(text.substr(0, at), '\n');
    throw InvalidArgument(fmt::format("{}, line {}: a character beyond ASCII {}", file, line, where));
  };
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < text.size()) {
    if (!is_ascii(text[at])) refuse_at(at, "outside of quotes and comments");
    std::size_t end = at + 1;
    if (text[at] == '#') end = std::min(text.find('\n', at), text.size());
    if (text[at] == '"' || text[at] == '\'') end = end_of_quotes(text, at);
    if (text[at] == '"') {
      const std::size_t found = beyond_ascii_after_backslash(text.substr(at, end - at));
      if (found != std::string_view::npos) refuse_at(at + found, "follows a backslash");
    }
    at = end;
  }
}

/// Reads the tables of a plan.
class PlanReader {
 public:
  explicit PlanReader(const std::string& file) : file_(file) {
    const std::string text = read_file(file);
    refuse_misplaced_characters(file, text);
    try {
      plan_ = toml::parse(text, file);
    } catch (const toml::parse_error& error) {
      throw InvalidArgument(fmt::format("{}, line {}: {}", file, error.source().begin.line, error.description()));
    }
    allow_only({"seeds", "seeds-per-task", "record", "train", "method", "environment", "model", "slurm"});
  }

  [[nodiscard]] const std::string& file() const noexcept { return file_; }

  [[nodiscard]] SeedRange seeds() const {
    const toml::node* node = plan_.get("seeds");
    if (node == nullptr) throw InvalidArgument(fmt::format("{}: seeds are missing: seeds = \"A:B\"", file_));
    if (!node->is_string()) refuse_plan(file_, *node, "seeds: expected a text, \"A:B\"");
    return read_at(*node, [&] { return parse_seeds(node->ref<std::string>()); });
  }

  [[nodiscard]] std::size_t seeds_per_task() const {
    const toml::node* node = plan_.get("seeds-per-task");
    if (node == nullptr) return 1;
    if (!node->is_integer()) refuse_plan(file_, *node, "seeds-per-task: expected a whole number");
    return read_at(*node, [&] { return parse_count("seeds-per-task", text_of(*node), 1, most_tasks); });
  }

  [[nodiscard]] bool record() const {
    const toml::node* node = plan_.get("record");
    if (node == nullptr) return false;
    if (!node->is_boolean()) refuse_plan(file_, *node, "record: expected true or false");
    return node->ref<bool>();
  }

  /// The tables of a list; `otherwise` when there is none.
  [[nodiscard]] std::vector<PlanEntry> entries(std::string_view name, const Words& otherwise) const {
    const toml::node* node = plan_.get(name);
    if (node == nullptr) {
      if (otherwise.empty())
        throw InvalidArgument(fmt::format("{}: a [[{}]] is missing: name one at least", file_, name));
      return {{0, {}, otherwise, {}}};
    }
    const toml::array* tables = node->as_array();
    if (tables == nullptr || !tables->is_array_of_tables() || tables->empty())
      refuse_plan(file_, *node, fmt::format("expected tables [[{}]]", name));
    std::vector<PlanEntry> read;
    for (const toml::node& each : *tables) read.push_back(entry(*each.as_table()));
    return read;
  }

  /// [train]: options of every task.
  [[nodiscard]] PlanEntry common() const {
    const toml::table* table = single("train");
    return table == nullptr ? PlanEntry{} : entry(*table);
  }

  [[nodiscard]] std::vector<std::string> slurm() const {
    std::vector<std::string> options;
    const toml::table* table = single("slurm");
    if (table == nullptr) return options;
    for (const auto& [key, value] : *table) {
      if (value.is_boolean() && !value.ref<bool>()) continue;
      options.push_back(value.is_boolean() ? std::string(key.str()) : fmt::format("{}={}", key.str(), text_of(value)));
      read_at(value, [&] { check_slurm_option(options.back()); });
    }
    return options;
  }

  /// What `read` says of bad usage, with the line before it.
  template <class Read>
  std::invoke_result_t<Read> read_at(const toml::node& node, Read&& read) const {
    try {
      return read();
    } catch (const InvalidArgument& error) {
      refuse_plan(file_, node, error.what());
    }
  }

 private:
  void allow_only(std::initializer_list<std::string_view> names) const {
    for (const auto& [key, value] : plan_)
      if (std::find(names.begin(), names.end(), key.str()) == names.end())
        refuse_plan(file_, value, fmt::format("'{}' is unknown; allowed: {}", key.str(), fmt::join(names, ", ")));
  }

  [[nodiscard]] const toml::table* single(std::string_view name) const {
    const toml::node* node = plan_.get(name);
    if (node != nullptr && !node->is_table()) refuse_plan(file_, *node, fmt::format("expected one table [{}]", name));
    return node == nullptr ? nullptr : node->as_table();
  }

  [[nodiscard]] std::string text_of(const toml::node& value) const {
    if (value.is_string()) {
      const auto& text = value.ref<std::string>();
      if (text.find('\0') != std::string::npos) refuse_plan(file_, value, "U+0000 ends a word of a command");
      return text;
    }
    if (value.is_integer()) return fmt::to_string(value.ref<std::int64_t>());
    if (value.is_floating_point()) return fmt::to_string(value.ref<double>());
    refuse_plan(file_, value, "expected a text or a number");
  }

  [[nodiscard]] PlanEntry entry(const toml::table& table) const {
    PlanEntry entry{table.source().begin.line, {}, {}, {}};
    for (const auto& [key, value] : table) {
      const std::string option(key.str());
      if (option == "name") {
        entry.name = text_of(value);
        if (entry.name.empty() || entry.name != folder_name(entry.name))
          refuse_plan(file_, value,
                      fmt::format("name '{}': expected a folder's name of letters, digits and ._=+-", entry.name));
        continue;
      }
      if (std::find(given_by_sweep.begin(), given_by_sweep.end(), option) != given_by_sweep.end())
        refuse_plan(file_, value, fmt::format("'{}' is the sweep's to say", option));
      const bool plain = std::all_of(option.begin(), option.end(), [](char each) {
        return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-';
      });
      if (!plain || option.empty()) refuse_plan(file_, value, fmt::format("'{}' is no option of icpi train", option));
      entry.options.insert(option);
      add_words(option, value, entry.words);
    }
    return entry;
  }

  void add_words(const std::string& option, const toml::node& value, Words& words) const {
    if (const toml::array* list = value.as_array()) {
      for (const toml::node& each : *list) words.push_back(fmt::format("--{}={}", option, text_of(each)));
    } else if (!value.is_boolean()) {
      words.push_back(fmt::format("--{}={}", option, text_of(value)));
    } else if (value.ref<bool>()) {
      words.push_back("--" + option);
    }
  }

  std::string file_;
  toml::table plan_;
};

}  // namespace

std::string folder_name(std::string_view text) {
  std::string name(text);
  for (char& each : name) {
    const bool kept = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
                      std::string_view("._=+-").find(each) != std::string_view::npos;
    if (!kept) each = '-';
  }
  if (name.starts_with('.')) name.front() = '-';
  return name.substr(0, 100);
}

void check_slurm_option(const std::string& option) {
  const std::string name = option.substr(0, option.find('='));
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-';
  });
  const bool on_one_line = std::all_of(option.begin(), option.end(), [](char each) {
    return static_cast<unsigned char>(each) >= 0x20 && each != '"' && each != '\\';
  });
  if (!plain || name.front() == '-' || !on_one_line)
    throw InvalidArgument(
        fmt::format("Slurm's option '{}' is not allowed; expected NAME=VALUE or NAME without dashes before it, on one "
                    "line, without quotes",
                    option));
  for (const std::string_view given : {"array", "job-name", "comment", "output", "open-mode", "wrap", "chdir"})
    if (name == given) throw InvalidArgument(fmt::format("Slurm's option '{}' is the sweep's to say", name));
}

PlanFile read_plan_file(const std::string& file) {
  const PlanReader reader(file);
  return {reader.seeds(),
          reader.seeds_per_task(),
          reader.record(),
          reader.slurm(),
          reader.common(),
          reader.entries("environment", {}),
          reader.entries("model", {"--model=induction"}),
          reader.entries("method", {})};
}

}  // namespace icpi::program
