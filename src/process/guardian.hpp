// SPDX-License-Identifier: MIT
#pragma once

namespace icpi::detail {

/// Descriptors that a guardian gets: all above the standard ones.
struct GuardianEnds {
  int input;     ///< read end, of the program
  int output;    ///< write end, of the program
  int error;     ///< write end, of the program
  int status;    ///< write end: GuardianNotes
  int lifeline;  ///< read end: its other end is held by whoever started the program
};

/// What a guardian writes to its status pipe, each in one piece.
struct GuardianNote {
  enum class Kind : int {
    started,      ///< value: process id, which is that of its process group too
    not_started,  ///< value: errno
    ended         ///< value: as of waitpid
  };
  Kind kind;
  int value;
};

/// Runs a program and sees to it that nothing of it is left: everything in its process group is killed when it has
/// ended, and when the lifeline's other end is closed, as the system does when the process that holds it dies, in
/// whatever way. Called in a process that was forked for it, with `arguments` made before the fork: it calls only what
/// is safe there. Never returns.
[[noreturn]] void guard(const GuardianEnds& ends, char* const* arguments) noexcept;

}  // namespace icpi::detail
