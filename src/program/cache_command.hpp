// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace icpi::program {

/// `icpi cache` and its own commands. A cache is a file or a database: see names_database().
struct CacheArguments {
  std::string cache;
  std::vector<std::string> from;  ///< of merge: caches, and files that export wrote
  std::string out;                ///< of export
  std::string unused_for;         ///< of prune: days
};

// The commands. They throw as those of commands.hpp, and InvalidArgument when this build has no cache.

/// Says how many answers a cache holds, and what they take.
void cache_info(const CacheArguments& arguments, std::ostream& out);
/// Adds the answers of others to a cache; those that it has stay.
void cache_merge(const CacheArguments& arguments, std::ostream& out);
/// Writes all answers to a new file, one line of JSON each, in the order of their keys.
void cache_export(const CacheArguments& arguments, std::ostream& out);
/// Drops what was not used for some days.
void cache_prune(const CacheArguments& arguments, std::ostream& out);

}  // namespace icpi::program
