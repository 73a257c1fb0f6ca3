// SPDX-License-Identifier: MIT
// service_server SERVICE LOG [wrong|limited|limited-wrong]: a known service on 127.0.0.1 with an oracle of the chain
// behind it. Prints its URL, adds the body of every request to LOG, one a line, and ends with its standard input. With
// `wrong` its answers count their tokens in words. With `limited` it refuses every question as one too many, as Gemini
// does; with `limited-wrong` it says in words when to come again.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "http/service_server.hpp"

namespace {

void count_in_words(icpi_test::HttpReply& reply) {
  if (reply.status != 200) return;
  nlohmann::json answer = nlohmann::json::parse(reply.body);
  for (const char* count : {"completion_tokens", "output_tokens"}) {
    if (answer["usage"].contains(count)) answer["usage"][count] = "many";
  }
  reply.body = answer.dump();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc == 4 ? argv[3] : "";
  const bool limited = how == "limited" || how == "limited-wrong";
  if (argc < 3 || argc > 4 || (argc == 4 && how != "wrong" && !limited)) {
    std::fputs("usage: service_server SERVICE LOG [wrong|limited|limited-wrong]\n", stderr);
    return 2;
  }
  std::ofstream log(argv[2], std::ios::app);
  if (!log) {
    std::fprintf(stderr, "service_server: cannot write '%s'\n", argv[2]);
    return 1;
  }
  const icpi_test::ServiceServer server(argv[1], [&](const nlohmann::json& asked, icpi_test::HttpReply& reply) {
    log << asked.dump() << std::endl;
    if (how == "wrong") count_in_words(reply);
    if (limited) reply = icpi_test::limit_of_gemini(how == "limited" ? "34s" : "soon");
  });
  std::cout << server.url() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) continue;
  std::fputs(server.refusals().c_str(), stderr);
  return server.refusals().empty() ? 0 : 3;
}
