// SPDX-License-Identifier: MIT
#include "interrupt.hpp"

#include <signal.h>

#include <atomic>

namespace icpi::program {

namespace {

std::atomic<int> came{0};
static_assert(std::atomic<int>::is_always_lock_free);

void remember(int number) { came = number; }

}  // namespace

void watch_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = remember;
    action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
  }
}

int interrupting_signal() noexcept { return came; }

}  // namespace icpi::program
