// SPDX-License-Identifier: MIT
#include "sweep_slurm.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <sstream>
#include <string_view>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/core/hash.hpp"
#include "run_directory.hpp"
#include "sweep.hpp"

namespace icpi::program {

namespace {

/// Slurm's own limit, MaxArraySize, is 1001 unless a cluster says otherwise.
constexpr std::size_t array_size = 1000;

/// Jobs of one sweep are found by their names.
std::string job_name(const SweepFolder& sweep, std::size_t array) {
  const auto place = std::filesystem::weakly_canonical(std::filesystem::absolute(sweep.path()));
  return fmt::format("icpi-{:016x}-{}", detail::fnv1a(place.string()), array);
}

/// Runs a command by the shell; its exit code and what it wrote to both standard streams.
std::pair<int, std::string> ask_shell(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {-1, "it cannot be started"};
  std::string said;
  std::array<char, 4096> buffer{};
  for (std::size_t count = 0; (count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    said.append(buffer.data(), count);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, said};
}

/// The script whose array holds these tasks, all of one thousand.
std::string script_of(const SweepFolder& sweep, const std::vector<std::size_t>& tasks,
                      const std::vector<std::string>& options) {
  const std::size_t array = tasks.front() / array_size;
  const std::size_t first = array * array_size;
  std::vector<std::size_t> numbers;
  for (const std::size_t task : tasks) numbers.push_back(task - first);
  const std::string folder = std::filesystem::absolute(sweep.path()).lexically_normal().string();
  std::string script = "#!/bin/bash\n";
  const auto add = [&](std::string_view option) { script += fmt::format("#SBATCH --{}\n", option); };
  add("job-name=" + job_name(sweep, array));
  add(fmt::format("comment={}", array));
  add("array=" + task_list(numbers));
  add(fmt::format("output=\"{}/slurm/%A_%a.txt\"", folder));
  add("open-mode=append");
  add("requeue");
  for (const std::string& option : options) {
    const auto value = option.find('=');
    add(value == std::string::npos ? option
                                   : fmt::format("{}=\"{}\"", option.substr(0, value), option.substr(value + 1)));
  }
  // exec: the signals of the batch system reach the program, which ends after its step and goes on when it is requeued.
  script += fmt::format("exec {} sweep task {} $(({} + SLURM_ARRAY_TASK_ID))\n", shell_word(own_program()),
                        shell_word(folder), first);
  return script;
}

}  // namespace

std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
           std::string_view("/._-=:+,@%").find(each) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char each : word) quoted += each == '\'' ? std::string("'\\''") : std::string(1, each);
  return quoted + "'";
}

std::vector<SlurmArray> slurm_arrays(const SweepFolder& sweep, const std::vector<std::size_t>& tasks,
                                     const std::vector<std::string>& options) {
  const std::string folder = std::filesystem::absolute(sweep.path()).lexically_normal().string();
  const bool printable_name = std::none_of(folder.begin(), folder.end(), [](char each) {
    return static_cast<unsigned char>(each) < 0x20 || each == '"' || each == '\\' || each == '%';
  });
  if (!printable_name)
    throw InvalidArgument(
        fmt::format("--out '{}': a script for Slurm cannot name it; allowed: no quotes, backslashes or %", folder));
  std::vector<SlurmArray> arrays;
  for (auto first = tasks.begin(); first != tasks.end();) {
    const std::size_t array = *first / array_size;
    const auto last = std::find_if(first, tasks.end(), [&](std::size_t task) { return task / array_size != array; });
    arrays.push_back({fmt::format("{}/slurm/array-{}.sh", folder, array), script_of(sweep, {first, last}, options)});
    first = last;
  }
  return arrays;
}

void write_array(const SlurmArray& array) {
  std::filesystem::create_directories(std::filesystem::path(array.file).parent_path());
  write_file(array.file, array.script);
}

std::string submit_array(const SlurmArray& array) {
  auto [code, said] = ask_shell("sbatch " + shell_word(array.file));
  while (said.ends_with('\n')) said.pop_back();
  if (code != 0)
    throw Error(
        fmt::format("sbatch {}: {} (exit code {}); the script can be submitted by hand", array.file, said, code));
  return said;
}

bool SlurmState::waiting() const {
  return state == "PENDING" || state == "REQUEUED" || state == "REQUEUE_HOLD" || state == "SPECIAL_EXIT" ||
         state == "RESV_DEL_HOLD";
}

bool SlurmState::running() const {
  const std::initializer_list<std::string_view> words{"RUNNING",   "CONFIGURING", "COMPLETING", "STAGE_OUT",
                                                      "SIGNALING", "STOPPED",     "SUSPENDED",  "RESIZING"};
  return std::find(words.begin(), words.end(), state) != words.end();
}

std::map<std::size_t, SlurmState> slurm_states(const SweepFolder& sweep) {
  std::map<std::size_t, SlurmState> states;
  if (!std::filesystem::exists(sweep.path() / "slurm")) return states;
  std::string names;
  const std::size_t arrays = (sweep.tasks().size() + array_size - 1) / array_size;
  for (std::size_t array = 0; array < arrays; ++array) names += (array == 0 ? "" : ",") + job_name(sweep, array);
  const auto [code, said] = ask_shell("squeue -h -r -t all -o '%F %K %k %T' --name=" + names);
  if (code != 0) return states;
  std::istringstream lines(said);
  std::map<std::size_t, std::uint64_t> jobs;  // the latest counts
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::uint64_t job = 0;
    std::size_t number = 0;
    std::size_t array = 0;
    std::string state;
    if (!(fields >> job >> number >> array >> state)) continue;
    const std::size_t task = array * array_size + number;
    if (task >= sweep.tasks().size() || job < jobs[task]) continue;
    jobs[task] = job;
    states[task] = {state};
  }
  return states;
}

}  // namespace icpi::program
