// SPDX-License-Identifier: MIT
// Certificates are verified: against the trusted ones, and against the host's name. The server is openssl's.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "helpers.hpp"

namespace {

using icpi::ErrorCategory;
using icpi_test::ask;
using icpi_test::plain_request;
using testing::HasSubstr;

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "icpi-tls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    {
      const icpi_test::ScriptedServer probe([](const auto&) { return icpi_test::HttpReply{}; });
      port_ = probe.port();
    }
    const int made = wait_for(run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                   "-nodes", "-keyout", file("key.pem"), "-out", file("cert.pem"), "-days", "2",
                                   "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"}));
    ASSERT_EQ(made, 0) << "openssl is needed";
    server_ = run({"openssl", "s_server", "-accept", fmt::format("127.0.0.1:{}", port_), "-key", file("key.pem"),
                   "-cert", file("cert.pem"), "-www", "-quiet"});
    for (int i = 0; i < 200 && !listening(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  void TearDown() override {
    if (server_ > 0) {
      kill(server_, SIGKILL);
      wait_for(server_);
    }
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string file(const char* name) const { return (folder_ / name).string(); }

  static pid_t run(std::vector<std::string> words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const pid_t child = fork();
    if (child != 0) return child;
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int descriptor : {0, 1, 2}) dup2(nothing, descriptor);
    execvp(pointers[0], pointers.data());
    _exit(127);
  }
  static int wait_for(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] bool listening() const {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    const bool connected = connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    return connected;
  }

  icpi::CompletionError error_of(const std::string& host, bool trusted) const {
    icpi::http::Options options = icpi_test::quick_options({fmt::format("https://{}:{}/v1", host, port_)});
    options.attempt_timeout = std::chrono::milliseconds(500);
    options.retries.attempts = 1;
    if (trusted) options.ca_file = file("cert.pem");
    icpi::http::HttpLanguageModel model(options);
    return ask(model, plain_request()).error;
  }

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t server_ = -1;
};

TEST_F(Tls, ACertificateNobodyVouchesForIsRefused) {
  const auto error = error_of("localhost", false);
  EXPECT_EQ(error.category, ErrorCategory::transport);
  EXPECT_THAT(error.message, HasSubstr("certificate"));
}

TEST_F(Tls, ATrustedCertificateForAnotherNameIsRefused) {
  const auto error = error_of("127.0.0.1", true);
  EXPECT_EQ(error.category, ErrorCategory::transport);
  EXPECT_THAT(error.message, testing::AnyOf(HasSubstr("certificate"), HasSubstr("host name")));
}

TEST_F(Tls, ATrustedCertificateIsAccepted) {
  // The page that this server answers with is no completion: the connection itself was accepted.
  const auto error = error_of("localhost", true);
  EXPECT_THAT(error.message, testing::Not(HasSubstr("certificate")));
  EXPECT_THAT(error.message, testing::Not(HasSubstr("SSL")));
}

}  // namespace
