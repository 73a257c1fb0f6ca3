// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/core.h>

#include <Eigen/Core>
#include <algorithm>
#include <charconv>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <thread>
