// SPDX-License-Identifier: MIT
#include "icpi/concepts/rollout_model.hpp"

#include <span>

// case 1: answer(questions, answers): item i of one into i of the other
// case 2: asynchronous(): whether submissions are worth while now
// case 3: concurrency(): submissions to keep in flight, > 0
// case 4: submit(question, ticket): hand over one question
// case 5: collect(out): waits for at least one answer
// case 6: cancel_all(): what is in flight is no longer wanted
struct Silent {
#if ICPI_BROKEN != 1
  static void answer(std::span<const icpi::Question>, std::span<icpi::Answer>) {}
#endif
#if ICPI_BROKEN != 2
  static bool asynchronous() { return true; }
#endif
#if ICPI_BROKEN != 3
  static std::size_t concurrency() { return 1; }
#endif
#if ICPI_BROKEN != 4
  static void submit(const icpi::Question&, std::uint64_t /*ticket*/) {}
#endif
#if ICPI_BROKEN != 5
  static std::size_t collect(std::span<icpi::FinishedAnswer>) { return 0; }
#endif
#if ICPI_BROKEN != 6
  static void cancel_all() {}
#endif
};

static_assert(icpi::RolloutModel<Silent>);
static_assert(icpi::AsynchronousRolloutModel<Silent>);
