// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace icpi::benchmarks {

/// Seconds per item: `count` is the sum over all iterations.
inline ::benchmark::Counter seconds_per(std::uint64_t count) {
  return {static_cast<double>(count), ::benchmark::Counter::kIsRate | ::benchmark::Counter::kInvert};
}

/// Items per second: `count` is the sum over all iterations.
inline ::benchmark::Counter per_second(std::uint64_t count) {
  return {static_cast<double>(count), ::benchmark::Counter::kIsRate};
}

/// A plain number.
inline ::benchmark::Counter number(double value) { return ::benchmark::Counter(value); }

/// What `make` made the first time it was asked for under this name: Google Benchmark calls a benchmark several times,
/// and setting the stage takes longer than the play.
template <class Value, class Make>
Value& kept(const std::string& name, Make&& make) {
  static std::map<std::string, std::unique_ptr<Value>> values;
  auto& value = values[name];
  if (!value) value = std::forward<Make>(make)();
  return *value;
}

}  // namespace icpi::benchmarks
