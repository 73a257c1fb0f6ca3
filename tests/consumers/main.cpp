// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <Eigen/Core>

#include "icpi/core/random.hpp"
#include "icpi/version.hpp"

int main() {
  icpi::RandomStream rng(icpi::RandomKey(7));
  const Eigen::Array3d draws(rng.uniform(), rng.uniform(), rng.uniform());
  fmt::print("icpi {}.{}: {:.3f}\n", icpi::version_major, icpi::version_minor, draws.mean());
  return draws.minCoeff() >= 0 && draws.maxCoeff() < 1 ? 0 : 1;
}
