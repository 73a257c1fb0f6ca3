// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/http/language_model.hpp"
#include "scripted_server.hpp"

namespace icpi_test {

/// Whether the environment names how to start one: ICPI_LLAMA_RUN (the wrapper that scripts/llama-from-debian makes) and
/// ICPI_LLAMA_GGUF (tests/support/random_gguf.py).
inline bool llama_server_is_there() {
  return std::getenv("ICPI_LLAMA_RUN") != nullptr && std::getenv("ICPI_LLAMA_GGUF") != nullptr;
}

/// A port that nobody listens on, a moment ago.
inline std::uint16_t free_port() {
  const ScriptedServer probe([](const HttpRequest&) { return HttpReply{}; });
  return probe.port();
}

/// A llama-server of our own, stopped by its process id.
class LlamaServer {
 public:
  explicit LlamaServer(std::vector<std::string> arguments = {}) : port_(free_port()), arguments_(std::move(arguments)) {
    start();
    wait_until_ready();
  }
  LlamaServer(const LlamaServer&) = delete;
  LlamaServer& operator=(const LlamaServer&) = delete;
  ~LlamaServer() { stop(SIGKILL); }

  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/v1", port_); }

  void start() {
    std::vector<std::string> words{std::getenv("ICPI_LLAMA_RUN"),
                                   "llama-server",
                                   "-m",
                                   std::getenv("ICPI_LLAMA_GGUF"),
                                   "--host",
                                   "127.0.0.1",
                                   "--port",
                                   std::to_string(port_),
                                   "-t",
                                   "2"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    process_ = fork();
    if (process_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  void stop(int signal) {
    if (process_ <= 0) return;
    kill(process_, signal);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

 private:
  void wait_until_ready() {
    icpi::http::Options options;
    options.base_urls = {url()};
    for (int attempt = 0; attempt < 300; ++attempt) {
      try {
        const icpi::http::HttpLanguageModel model(options);
        return;
      } catch (const icpi::Error& error) {
        if (std::string_view(error.what()).find("wants a key") != std::string_view::npos) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
    throw std::runtime_error("llama-server does not come up");
  }

  std::uint16_t port_;
  std::vector<std::string> arguments_;
  pid_t process_ = -1;
};

}  // namespace icpi_test
