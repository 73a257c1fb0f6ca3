// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "icpi/core/error.hpp"

namespace icpi {

/// What a run does when its environment throws: the episode ends as failed, what was learned stays, and then?
enum class OnEnvironmentError : std::uint8_t {
  stop,    ///< EnvironmentError is thrown; a logged run that is continued goes on with the next episode
  proceed  ///< the next episode begins
};

/// An environment threw, or gave a reward that is not finite.
class EnvironmentError : public Error {
 public:
  using Error::Error;
};

/// What is written into the records of runs, how returns are judged, and when to stop.
struct RunSettings {
  std::string domain;       ///< see EpisodeRecord
  std::string agent;        ///< see EpisodeRecord
  std::string model;        ///< see EpisodeRecord
  std::size_t steps = 0;    ///< of every run; an episode that crosses this is completed
  double discount = 1;      ///< evaluation discount
  double return_scale = 1;  ///< returns are divided by this
  OnEnvironmentError on_environment_error = OnEnvironmentError::stop;  ///< how to go on after it
  std::function<bool()> interrupted{};                                 ///< asked before every round; true: stop there
};

}  // namespace icpi
