// SPDX-License-Identifier: MIT
// http_throughput [DELAY_MS] [IN_FLIGHT] [SECONDS]: completions per second of HttpLanguageModel beside those of a bare
// loop on curl's multi interface, against one loopback server that answers after DELAY_MS, with the same bodies and the
// same number in flight; and the processor time that the client takes. `http_throughput serve DELAY_MS` is that server
// alone, for other clients. Not a test: the numbers are this machine's.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "icpi/http/language_model.hpp"

namespace {

using Clock = std::chrono::steady_clock;

const std::string answer_body =
    R"({"choices":[{"text":" 5 . state 6\n","index":0,"logprobs":null,"finish_reason":"stop"}],"object":"text_completion",)"
    R"("usage":{"completion_tokens":8,"prompt_tokens":511,"prompt_tokens_details":{"cached_tokens":500}}})";

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/// One thread, epoll: answers every request after `delay`.
class Server {
 public:
  explicit Server(std::chrono::milliseconds delay) : delay_(delay), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 512);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] int port() const { return port_; }

  [[noreturn]] void serve() {
    const int poller = epoll_create1(0);
    watch(poller, listener_);
    std::vector<epoll_event> events(256);
    while (true) {
      int wait = -1;
      if (!due_.empty()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_.front().first - Clock::now()).count();
        wait = static_cast<int>(std::max<long long>(left, 0));
      }
      const int count = epoll_wait(poller, events.data(), static_cast<int>(events.size()), wait);
      for (int i = 0; i < count; ++i) {
        const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
        if (descriptor == listener_) {
          const int connection = accept(listener_, nullptr, nullptr);
          const int on = 1;
          setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          watch(poller, connection);
        } else {
          receive(descriptor);
        }
      }
      for (; !due_.empty() && due_.front().first <= Clock::now(); due_.pop_front()) answer(due_.front().second);
    }
  }

 private:
  static void watch(int poller, int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
  }

  void receive(int connection) {
    char bytes[65536];
    const ssize_t count = recv(connection, bytes, sizeof bytes, 0);
    std::string& buffer = buffers_[connection];
    if (count <= 0) {
      close(connection);
      buffers_.erase(connection);
      return;
    }
    buffer.append(bytes, static_cast<std::size_t>(count));
    const std::size_t end = buffer.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::size_t header = buffer.find("Content-Length:");
    const std::size_t length = header < end ? std::strtoul(buffer.c_str() + header + 15, nullptr, 10) : 0;
    if (buffer.size() < end + 4 + length) return;
    buffer.clear();
    if (delay_.count() == 0) return answer(connection);
    due_.emplace_back(Clock::now() + delay_, connection);
  }

  void answer(int connection) {
    static const std::string reply =
        fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                    answer_body.size(), answer_body);
    send(connection, reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  std::chrono::milliseconds delay_;
  int listener_;
  int port_ = 0;
  std::map<int, std::string> buffers_;
  std::deque<std::pair<Clock::time_point, int>> due_;
};

struct Rate {
  double per_second = 0;
  double cores = 0;
};

template <class Loop>
Rate measure(double seconds, Loop loop) {
  const double processor = processor_seconds();
  const auto start = Clock::now();
  const std::size_t answers =
      loop(start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  return {static_cast<double>(answers) / took, (processor_seconds() - processor) / took};
}

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

/// The least that curl's multi interface can be asked to do: perform, poll, the same body again.
Rate bare_loop(const std::string& url, std::size_t in_flight, double seconds, const std::string& body) {
  CURLM* multi = curl_multi_init();
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  std::vector<CURL*> handles;
  for (std::size_t i = 0; i < in_flight; ++i) {
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    handles.push_back(easy);
    curl_multi_add_handle(multi, easy);
  }
  const Rate rate = measure(seconds, [&](Clock::time_point end) {
    std::size_t answers = 0;
    while (Clock::now() < end) {
      int running = 0;
      curl_multi_perform(multi, &running);
      int left = 0;
      bool any = false;
      while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        CURL* easy = message->easy_handle;
        ++answers;
        any = true;
        curl_multi_remove_handle(multi, easy);
        curl_multi_add_handle(multi, easy);
      }
      if (!any) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    return answers;
  });
  for (CURL* easy : handles) {
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
  }
  curl_slist_free_all(headers);
  curl_multi_cleanup(multi);
  return rate;
}

Rate our_loop(const std::string& base_url, std::size_t in_flight, double seconds, const std::string& prompt) {
  icpi::http::Options options;
  options.base_urls = {base_url};
  options.model = "m";
  options.probe = false;
  options.adaptive_concurrency = false;
  options.concurrency = in_flight;
  icpi::http::HttpLanguageModel model(options);
  icpi::CompletionRequest request;
  request.query = prompt;
  icpi::Ticket ticket = 0;
  for (std::size_t i = 0; i < in_flight; ++i) model.submit(request, ticket++);
  return measure(seconds, [&](Clock::time_point end) {
    std::size_t answers = 0;
    std::vector<icpi::FinishedCompletion> finished(in_flight);
    while (Clock::now() < end) {
      const std::size_t count = model.collect(finished, std::chrono::milliseconds(1000));
      for (std::size_t i = 0; i < count; ++i) {
        if (finished[i].completion.error) std::abort();
        model.submit(request, ticket++);
      }
      answers += count;
    }
    return answers;
  });
}

void print(const char* who, const Rate& rate) {
  fmt::print("{:<22} {:>9.0f} answers/s  {:.2f} cores\n", who, rate.per_second, rate.cores);
}

}  // namespace

int main(int argc, char** argv) {
  const bool serve_only = argc > 1 && std::string(argv[1]) == "serve";
  const int shift = serve_only ? 1 : 0;
  const auto argument = [&](int index, double otherwise) {
    return argc > index + shift ? std::atof(argv[index + shift]) : otherwise;
  };
  Server server(std::chrono::milliseconds(static_cast<int>(argument(1, 0))));
  if (serve_only) {
    fmt::print("http://127.0.0.1:{}/v1/completions\n", server.port());
    std::fflush(stdout);
    server.serve();
  }
  const pid_t child = fork();
  if (child == 0) server.serve();
  const auto in_flight = static_cast<std::size_t>(argument(2, 64));
  const double seconds = argument(3, 3);
  std::string prompt;
  while (prompt.size() < 2000) prompt += "state 3 action left reward 0 next 2; ";
  const std::string body = fmt::format(R"({{"prompt":"{}","model":"m","max_tokens":100,"temperature":0.1,"top_p":1,)"
                                       R"("presence_penalty":0,"frequency_penalty":0,"seed":1,"n":1,"stream":false}})",
                                       prompt);
  const std::string base = fmt::format("http://127.0.0.1:{}/v1", server.port());
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const Rate bare = bare_loop(base + "/completions", in_flight, seconds, body);
    const Rate ours = our_loop(base, in_flight, seconds, prompt);
    print("bare curl-multi loop", bare);
    print("HttpLanguageModel", ours);
    best = std::max(best, ours.per_second / bare.per_second);
  }
  fmt::print("best ratio {:.2f}\n", best);
  kill(child, SIGTERM);
  waitpid(child, nullptr, 0);
}
