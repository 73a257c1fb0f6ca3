// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iosfwd>
#include <vector>

#include "sweep_folder.hpp"

namespace icpi::program {

/// Plays a task in this process, or goes on with it where it was; nothing happens to one that is done. What came of it is
/// in the folder when it returns or throws. Throws as train(), and Error when another process plays the task.
void play_task(const SweepFolder& sweep, std::size_t task, std::ostream& out);

/// Plays tasks in processes of their own, so many at a time; what they say goes to tasks/<name>/output.txt. Failures of
/// some do not keep the others from being played. When a signal comes, the processes get SIGTERM, and Interrupted is
/// thrown when they have ended.
void play_tasks(const SweepFolder& sweep, const std::vector<std::size_t>& tasks, std::size_t jobs);

}  // namespace icpi::program
