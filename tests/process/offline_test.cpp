// SPDX-License-Identifier: MIT
// Runs that begin with recorded transitions.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "process/environments.hpp"

namespace icpi::program {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

class History : public Environments {
 protected:
  static std::string corridor() { return script("examples/corridor_server.py"); }

  static std::string line(const std::string& from, const std::string& action, int reward, bool terminated,
                          const std::string& to) {
    return R"({"observation":)" + from + R"(,"action":")" + action + R"(","reward":)" + std::to_string(reward) +
           R"(,"terminated":)" + (terminated ? "true" : "false") + R"(,"truncated":false,"next_observation":)" + to +
           "}\n";
  }
  static std::string seen(int place, int exit) {
    return "[" + std::to_string(place) + "," + std::to_string(exit) + "]";
  }

  /// From every place straight to every exit, and out; and once out at a wrong place.
  static std::string straight_ways() {
    std::string lines;
    for (int exit = 0; exit < 8; ++exit) {
      for (int start = 0; start < 8; start += 3) {
        int place = start;
        for (; place != exit; place += place < exit ? 1 : -1)
          lines += line(seen(place, exit), place < exit ? "right" : "left", 0, false,
                        seen(place < exit ? place + 1 : place - 1, exit));
        lines += line(seen(place, exit), "leave", 1, true, seen(place, exit));
      }
      lines += line(seen((exit + 3) % 8, exit), "leave", 0, true, seen((exit + 3) % 8, exit));
    }
    return lines;
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  double first_returns(const std::string& run) const {
    const auto all = records(run);
    double sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += all.at(i)["return"].number();
    return sum;
  }
};

TEST_F(History, AgentsBeginWithWhatOthersLived) {
  const std::string file = write("history.jsonl", straight_ways());
  const Words words{"--steps", "80", "--seeds", "0"};
  ASSERT_EQ(icpi(train(corridor(), "scratch", words)).code, 0);
  Words more = words;
  more.insert(more.end(), {"--history", file});
  const auto result = icpi(train(corridor(), "offline", more));
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_GE(first_returns("offline"), 7);
  EXPECT_LT(first_returns("scratch"), 5);
  EXPECT_EQ(records("offline")[0]["agent"].string(), "icpi-best-history");
  const std::string text = straight_ways();
  const auto count = std::count(text.begin(), text.end(), '\n');
  EXPECT_THAT(read(path("offline/run.json")),
              AllOf(HasSubstr("\"history_transitions\":" + std::to_string(count)), HasSubstr("\"history_checksum\":")));
  const auto frozen = icpi({"evaluate", path("offline"), "--episodes", "5"});
  ASSERT_EQ(frozen.code, 0) << frozen.error;
  EXPECT_THAT(frozen.out, HasSubstr("mean return 1.0000"));
  std::filesystem::rename(file, path("moved.jsonl"));
  const auto lost = icpi({"evaluate", path("offline"), "--episodes", "5"});
  EXPECT_EQ(lost.code, 2);
  EXPECT_THAT(lost.error, AllOf(HasSubstr("history.jsonl"), HasSubstr("--history names where it is now")));
  const auto found = icpi({"evaluate", path("offline"), "--episodes", "5", "--history", path("moved.jsonl")});
  EXPECT_EQ(found.out, frozen.out) << found.error;
  write("other.jsonl", text.substr(0, text.find('\n') + 1));
  const auto other = icpi({"evaluate", path("offline"), "--episodes", "5", "--history", path("other.jsonl")});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.error, HasSubstr("evaluate: the run was begun with other options: history_"));
}

TEST_F(History, ResumedRunsNeedTheSameOne) {
  const std::string file = write("history.jsonl", straight_ways());
  const Words words{"--steps", "40", "--seeds", "0:2", "--history", file};
  ASSERT_EQ(icpi(train(corridor(), "whole", words)).code, 0);
  Words few = words;
  few.insert(few.end(), {"--max-calls", "60"});
  ASSERT_EQ(icpi(train(corridor(), "half", few)).code, 1);
  write("other.jsonl", straight_ways().substr(0, straight_ways().find('\n') + 1));
  const auto other = icpi({"train", "--resume", path("half"), "--history", path("other.jsonl")});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.error, AllOf(HasSubstr("--resume"), HasSubstr("history_")));
  std::filesystem::rename(file, path("moved.jsonl"));
  EXPECT_THAT(icpi({"train", "--resume", path("half")}).error, HasSubstr("history.jsonl"));
  const auto on = icpi({"train", "--resume", path("half"), "--history", path("moved.jsonl"), "--max-calls", "100000"});
  ASSERT_EQ(on.code, 0) << on.error;
  EXPECT_EQ(read(path("half/episodes.jsonl")), read(path("whole/episodes.jsonl")));
}

TEST_F(History, BadLinesAreNamed) {
  const std::string good = line("[1,2]", "right", 0, false, "[2,2]");
  const auto refused = [&](const std::string& text) {
    const auto result = icpi(train(corridor(), "run", {"--history", write("bad.jsonl", text)}));
    EXPECT_EQ(result.code, 2);
    EXPECT_FALSE(std::filesystem::exists(path("run")));
    return result.error;
  };
  const auto second = [](const std::string& what) { return AllOf(HasSubstr("bad.jsonl', line 2: "), HasSubstr(what)); };
  EXPECT_THAT(refused(good + "{\"observation\":[1,\n"), second("JSON"));
  EXPECT_THAT(refused(good + "{\"observation\":[2,2]}\n"), second("action"));
  EXPECT_THAT(refused(good + line("[2]", "leave", 1, true, "[2,2]")), second("1 values for 2 fields"));
  EXPECT_THAT(refused(good + line("[2,2.5]", "leave", 1, true, "[2,2]")), second("2.5"));
  EXPECT_THAT(refused(good + line("[2,2]", "jump", 1, true, "[2,2]")), second("'jump' is none of left, right, leave"));
  EXPECT_THAT(refused(good + line("[3,2]", "leave", 1, true, "[3,2]")), second("next_observation of the line before"));
  EXPECT_THAT(refused(""), HasSubstr("no transition"));
  EXPECT_THAT(refused("\n \n"), HasSubstr("no transition"));
  EXPECT_THAT(refused(good + "\n{}\n"), HasSubstr("bad.jsonl', line 3: "))
      << "blank lines are passed over, and counted";
  EXPECT_THAT(icpi(train(corridor(), "run", {"--history", folder_.string()})).error, HasSubstr("it is a folder"));
  EXPECT_THAT(icpi(train(corridor(), "run", {"--history", path("none")})).error, HasSubstr("none"));
  const auto tabular = icpi(train(corridor(), "run", {"--history", write("h", good), "--agent", "tabular-q"}));
  EXPECT_THAT(tabular.error, HasSubstr("--history goes with the agents icpi and no-argmax"));
}

TEST_F(History, OfDomainsIsTheTextOfPrompts) {
  std::string lines;
  for (int state = 0; state < 8; ++state) {
    const auto text = [](int at) {
      return "\"assert state == " + std::to_string(at) + " and state " + (at == 4 ? "==" : "!=") + " 4\"";
    };
    lines += line(text(state), "state = right()", 0, false, text(std::min(state + 1, 7)));
    lines += line(text(std::min(state + 1, 7)), "state = left()", 0, false, text(std::min(state + 1, 7) - 1));
    lines += line(text(std::min(state + 1, 7) - 1), "reward = try_goal(state)", state == 4 ? 1 : 0, true,
                  text(std::min(state + 1, 7) - 1));
  }
  const auto trained = [&](const std::string& text) {
    std::filesystem::remove_all(path("run"));
    return icpi({"train", "--domain", "chain", "--seeds", "0", "--steps", "10", "--out", path("run"), "--history",
                 write("chain.jsonl", text)});
  };
  EXPECT_EQ(trained(lines).code, 0) << trained(lines).error;
  EXPECT_EQ(trained(lines + "\n").code, 0) << "a blank line at the end";
  EXPECT_THAT(trained(line("\"state 3\"", "state = left()", 0, false, "\"state 2\"")).error,
              HasSubstr("line 1: 'state 3' is no observation as prompts have it"));
}

TEST_F(History, ADryRunCountsWithTheEmbeddedModel) {
  const auto result = icpi(train(corridor(), "run", {"--dry-run", "--steps", "30", "--seeds", "0:2"}));
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("with the embedded model in the model's place"));
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

}  // namespace
}  // namespace icpi::program
