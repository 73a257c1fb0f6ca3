// SPDX-License-Identifier: MIT
#include "cache_options.hpp"

namespace icpi::program {

void add_cache(CLI::App& app, CacheArguments& arguments) {
  auto& cache = *app.add_subcommand("cache", "what a completion cache holds: a file, or postgresql://HOST/NAME");
  cache.require_subcommand(1);
  const auto add = [&](const char* name, const char* meaning) { return cache.add_subcommand(name, meaning); };
  add("info", "how many answers, and what they take")->add_option("cache", arguments.cache)->required();
  auto& merge =
      *add("merge", "add the answers of other caches, or of files that export wrote; those that are there stay");
  merge.add_option("from", arguments.from)->required();
  merge.add_option("--into", arguments.cache, "a cache; a file that is not there is made")->required();
  auto& write = *add("export", "write all answers to a file, one line of JSON each");
  write.add_option("cache", arguments.cache)->required();
  write.add_option("--out", arguments.out, "a new file")->required();
  auto& prune = *add("prune", "drop what was not used for long");
  prune.add_option("cache", arguments.cache)->required();
  prune.add_option("--unused-for", arguments.unused_for, "days")->required();
}

void run_cache(const CLI::App& app, const CacheArguments& arguments, std::ostream& out) {
  if (!app.got_subcommand("cache")) return;
  const CLI::App& command = *app.get_subcommand("cache");
  if (command.got_subcommand("info")) cache_info(arguments, out);
  if (command.got_subcommand("merge")) cache_merge(arguments, out);
  if (command.got_subcommand("export")) cache_export(arguments, out);
  if (command.got_subcommand("prune")) cache_prune(arguments, out);
}

}  // namespace icpi::program
