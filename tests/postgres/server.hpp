// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "icpi/postgres/completion_database.hpp"

namespace icpi_test {

/// A PostgreSQL server of this process's own, in a folder that goes away with it.
class Server {
 public:
  /// Starts it; `words()` is empty where there is no PostgreSQL.
  Server() : folder_("/tmp/icpi-pg-" + std::to_string(getpid())) { start(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { control("stop"); }

  void start() { words_ = control("start"); }
  /// As a crash would; its data stay.
  void kill() { control("kill"); }
  /// How libpq reaches it.
  [[nodiscard]] const std::string& words() const { return words_; }

  /// Runs statements; the first column of the first row of the last.
  std::string ask(const std::string& statements) const {
    PGconn* const connection = PQconnectdb(words_.c_str());
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
    PGresult* const result = PQexec(connection, statements.c_str());
    const ExecStatusType status = PQresultStatus(result);
    EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) << PQerrorMessage(connection);
    const std::string value = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    PQfinish(connection);
    return value;
  }

 private:
  /// What the script printed; 77 is told apart from failure.
  std::string control(const std::string& action) const {
    const std::string command = std::string(ICPI_POSTGRES_SERVER) + " " + action + " " + folder_;
    FILE* const pipe = popen(command.c_str(), "r");
    std::string said;
    for (std::array<char, 256> part{}; std::fgets(part.data(), part.size(), pipe) != nullptr;) said += part.data();
    const int status = WEXITSTATUS(pclose(pipe));
    EXPECT_TRUE(status == 0 || status == 77) << command;
    while (said.ends_with('\n')) said.pop_back();
    return status == 0 ? said : "";
  }

  std::string folder_;
  std::string words_;
};

/// Tests with a server, and tables that are new in each.
class WithServer : public testing::Test {
 protected:
  void SetUp() override {
    if (!server) server = std::make_unique<Server>();
    if (server->words().empty()) GTEST_SKIP() << "no PostgreSQL here";
    server->ask("DROP TABLE IF EXISTS icpi_completions; DROP TABLE IF EXISTS icpi_cache_schema");
  }

  static icpi::postgres::DatabaseOptions options() {
    icpi::postgres::DatabaseOptions options;
    options.connection = server->words();
    return options;
  }

  inline static std::unique_ptr<Server> server;  ///< of all tests of this process
};

}  // namespace icpi_test
