// SPDX-License-Identifier: MIT
#pragma once

namespace icpi::program {

/// Makes the standard streams safe to use, whatever the program was started with: what cannot be written is an error of
/// write(), never a signal, and a stream that is closed stays unusable, so that no file of a run takes its number and
/// gets what is said there. So is a file that may grow no further. Call it before anything is opened.
void secure_standard_streams() noexcept;

}  // namespace icpi::program
