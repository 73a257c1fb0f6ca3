// SPDX-License-Identifier: MIT
// Options of an enumerated type that are none of its names.
#include <gtest/gtest.h>

#include <string>

#include "icpi/core/error.hpp"
#include "icpi/http/options.hpp"

namespace {

using namespace icpi::http;

template <class Value>
std::string refusal(Value Options::*member, int value) {
  Options options;
  options.base_urls = {"http://127.0.0.1:1/v1"};
  options.*member = static_cast<Value>(value);
  try {
    validate(options);
  } catch (const icpi::InvalidArgument& error) {
    return error.what();
  }
  return "";
}

TEST(OptionNames, ThatAreNoneAreNamed) {
  EXPECT_EQ(refusal(&Options::dialect, 4), "");
  EXPECT_EQ(refusal(&Options::dialect, 5), "http::Options::dialect must be one of completions .. responses");
  EXPECT_EQ(refusal(&Options::server, 5), "http::Options::server must be one of automatic .. sglang");
  EXPECT_EQ(refusal(&Options::chat_style, 2), "http::Options::chat_style must be continuation or turns");
  EXPECT_EQ(refusal(&Options::choice_form, 10), "http::Options::choice_form must be one of automatic .. grammar");
  EXPECT_EQ(refusal(&Options::vllm_choice_field, 2),
            "http::Options::vllm_choice_field must be structured_outputs or guided_choice");
}

}  // namespace
