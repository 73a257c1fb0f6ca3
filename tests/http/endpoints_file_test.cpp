// SPDX-License-Identifier: MIT
// Servers that a file lists, and that come and go.
#include "http/endpoints_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::http::Clock;
using icpi::http::EndpointsFile;
using testing::ElementsAre;
using testing::HasSubstr;

/// As a user should: at once.
void replace(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path other = file.string() + ".new";
  std::ofstream(other) << text;
  std::filesystem::rename(other, file);
}

std::string refusal(EndpointsFile& file) {
  try {
    static_cast<void>(file.read());
  } catch (const icpi::InvalidArgument& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(EndpointsFile, ListsAServerALine) {
  const icpi_test::TemporaryFolder folder;
  const auto path = folder / "servers";
  replace(path, "# of the lab\n\n  node1:8080   # the old one\r\nhttps://node2/v1");
  EndpointsFile file(path.string());
  EXPECT_THAT(file.read(), ElementsAre("http://node1:8080/v1", "https://node2:443/v1"));
}

TEST(EndpointsFile, NamesWhatIsWrong) {
  const icpi_test::TemporaryFolder folder;
  const auto path = folder / "servers";
  EndpointsFile file(path.string());
  EXPECT_THAT(refusal(file), HasSubstr("the file cannot be read"));
  replace(path, "# nobody\n");
  EXPECT_THAT(refusal(file), HasSubstr("it lists no server"));
  replace(path, "node1:1\nhttp://node1:1/v1\n");
  EXPECT_THAT(refusal(file), HasSubstr("line 2: http://node1:1/v1 is there twice"));
  replace(path, "node1:1\nhttps://user:secret@node/v1\n");
  EXPECT_THAT(refusal(file), testing::AllOf(HasSubstr("line 2: "), testing::Not(HasSubstr("secret"))));
}

TEST(EndpointsFile, IsReadAgainOnceItHasChangedAndStayedSo) {
  const icpi_test::TemporaryFolder folder;
  const auto path = folder / "servers";
  replace(path, "node1:1\n");
  EndpointsFile file(path.string());
  static_cast<void>(file.read());
  auto now = Clock::time_point(1h);
  const auto look = [&] { return file.changed(now += 1s); };
  EXPECT_FALSE(look());
  EXPECT_FALSE(look());
  replace(path, "node1:1\nnode2:1\n");
  EXPECT_FALSE(file.changed(now));  // it is too early to look
  EXPECT_FALSE(look());             // somebody may still be writing
  EXPECT_THAT(look().value(), ElementsAre("http://node1:1/v1", "http://node2:1/v1"));
  EXPECT_FALSE(look());

  std::filesystem::remove(path);
  EXPECT_FALSE(look());
  EXPECT_FALSE(look());
  replace(path, "ftp://node\n");
  EXPECT_FALSE(look());
  EXPECT_THROW(look(), icpi::InvalidArgument);
  EXPECT_FALSE(look());  // once
  replace(path, "node3:1\n");
  EXPECT_FALSE(look());
  EXPECT_THAT(look().value(), ElementsAre("http://node3:1/v1"));
}

TEST(EndpointsFile, LetsServersJoinAndLeaveAWorkingModel) {
  icpi_test::ScriptedServer first(icpi_test::echo_reply), second(icpi_test::echo_reply);
  const icpi_test::TemporaryFolder folder;
  const auto path = folder / "servers";
  replace(path, first.url());
  auto options = icpi_test::quick_options({});
  options.endpoints_file = path.string();
  std::string told;
  options.notice = [&](std::string_view line) { told += line; };
  icpi::http::HttpLanguageModel model(options);
  EXPECT_THAT(model.identity(), HasSubstr(" at endpoints " + path.string()));
  const auto ask_until = [&](auto&& holds) {
    for (const auto end = Clock::now() + 30s; !holds() && Clock::now() < end;)
      EXPECT_FALSE(icpi_test::ask(model, icpi_test::plain_request("question")).error);
    EXPECT_TRUE(holds());
  };
  ask_until([&] { return first.requests() > 3; });
  EXPECT_EQ(second.requests(), 0);
  replace(path, second.url());
  ask_until([&] { return second.requests() > 3; });
  EXPECT_EQ(model.concurrency(), 32U);
  replace(path, "ftp://node\n");
  ask_until([&] { return told.find("the servers stay as they are") != std::string::npos; });
}

}  // namespace
