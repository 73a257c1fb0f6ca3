// SPDX-License-Identifier: MIT
// What cannot be used or answered is named; nothing crashes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <type_traits>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "llama/gguf_header.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::llama::LlamaLanguageModel;
using icpi::llama::Options;
using icpi_test::ask;
using icpi_test::greedy;
using icpi_test::small_options;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// The message that the constructor throws; empty: it does not.
std::string refusal(const Options& options) {
  try {
    const LlamaLanguageModel model(options);
  } catch (const icpi::Error& error) {
    return error.what();
  }
  return {};
}

class Files : public testing::Test {
 protected:
  Files() : folder_(std::filesystem::temp_directory_path() / fmt::format("icpi-llama-{}", getpid())) {
    std::filesystem::create_directories(folder_);
    std::ifstream in(icpi_test::model_file("tiny"), std::ios::binary);
    good_.assign(std::istreambuf_iterator<char>(in), {});
  }
  ~Files() override { std::filesystem::remove_all(folder_); }

  std::string refusal_of(std::string_view content) {
    Options options = small_options();
    options.model_path = (folder_ / "model.gguf").string();
    std::ofstream(options.model_path, std::ios::binary) << content;
    const std::string message = refusal(options);
    EXPECT_THAT(message, StartsWith("llama: " + options.model_path + ": "));
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return message;
  }
  std::string with_architecture(std::string_view other) {
    std::string changed = good_;
    for (std::size_t at = changed.find("llama"); at < 20000; at = changed.find("llama", at + 1))
      changed.replace(at, 5, other);
    return changed;
  }

  /// The file, with another value for a number that the header gives under this key.
  std::string with_number(std::string_view key, std::uint32_t value) {
    std::string changed = good_;
    const std::size_t at = changed.find(key);
    EXPECT_NE(at, changed.npos) << key;
    std::memcpy(changed.data() + at + key.size() + sizeof(std::uint32_t), &value, sizeof value);  // behind the type
    return changed;
  }

  /// An entry of the header: a key with a number of 2 or 4 bytes, or a text.
  template <class Value>
  static std::string entry(std::string_view key, const Value& value) {
    constexpr bool is_text = std::is_convertible_v<Value, std::string_view>;
    std::string bytes = number(std::uint64_t{key.size()}) + std::string(key);
    if constexpr (is_text) {
      const std::string_view text(value);
      return bytes + number(std::uint32_t{8}) + number(std::uint64_t{text.size()}) + std::string(text);
    } else {
      return bytes + number(std::uint32_t{sizeof(Value) == 2 ? 2U : std::is_signed_v<Value> ? 5U : 4U}) + number(value);
    }
  }

  /// The file, with these entries in its header before all others. The tensors stay aligned.
  std::string with_entries(std::vector<std::string> entries) {
    std::size_t size = 0;
    for (const std::string& each : entries) size += each.size();
    const std::size_t bare = size + entry("padding", "").size();
    entries.push_back(entry("padding", std::string((alignment - bare % alignment) % alignment, ' ')));
    std::string changed = good_;
    std::uint64_t count = 0;
    std::memcpy(&count, good_.data() + 16, sizeof count);
    count += entries.size();
    std::memcpy(changed.data() + 16, &count, sizeof count);
    std::string added;
    for (const std::string& each : entries) added += each;
    return changed.insert(24, added);
  }

  std::filesystem::path folder_;
  std::string good_;

 private:
  static constexpr std::size_t alignment = 32;

  template <class Number>
  static std::string number(Number value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
  }
};

TEST_F(Files, MissingOnesAndDirectoriesAreNamed) {
  Options options = small_options();
  options.model_path = (folder_ / "absent.gguf").string();
  EXPECT_THAT(refusal(options), HasSubstr("absent.gguf: there is no such file"));
  options.model_path = "nowhere/absent.gguf";
  EXPECT_THAT(refusal(options), HasSubstr("there is no such file in " + std::filesystem::current_path().string()));
  options.model_path = folder_.string();
  EXPECT_THAT(refusal(options), HasSubstr("is a directory"));
  options.model_path = (folder_ / "pipe").string();
  ASSERT_EQ(mkfifo(options.model_path.c_str(), 0600), 0);
  EXPECT_THAT(refusal(options), HasSubstr("is not a regular file"));
  options.model_path = (folder_ / "loop").string();
  std::filesystem::create_symlink(options.model_path, options.model_path);
  EXPECT_THAT(refusal(options), HasSubstr("cannot be read: "));
}

TEST_F(Files, ThatAreNoGgufAreNamed) {
  EXPECT_THAT(refusal_of("Dear Sir or Madam"), EndsWith("is not a GGUF file"));
  EXPECT_THAT(refusal_of("GG"), EndsWith("is not a GGUF file"));
  EXPECT_THAT(refusal_of(""), EndsWith("is empty"));
}

TEST_F(Files, OfOtherFormatsAreNamedWithTheFormat) {
  EXPECT_THAT(refusal_of("version https://git-lfs.github.com/spec/v1\noid sha256:0"), HasSubstr("Git LFS"));
  EXPECT_THAT(refusal_of("PK\x03\x04 archive/data.pkl"), HasSubstr("zip archive"));
  EXPECT_THAT(refusal_of("tjgg\3"), HasSubstr("before GGUF"));
  EXPECT_THAT(refusal_of("<!DOCTYPE html><title>Not found"), HasSubstr("HTML"));
  EXPECT_THAT(refusal_of(std::string("\x40\0\0\0\0\0\0\0{\"weight\":", 18)), HasSubstr("safetensors"));
  EXPECT_THAT(refusal_of("FUGG" + good_.substr(4)), HasSubstr("byte order"));
}

TEST_F(Files, WithoutTheirOtherPartsAreNamedWithTheMissingOne) {
  const std::string first = (folder_ / "model-00001-of-00002.gguf").string();
  std::ofstream(first, std::ios::binary) << with_entries({entry("split.no", std::uint16_t{0}),
                                                          entry("split.count", std::uint16_t{2}),
                                                          entry("split.tensors.count", std::int32_t{40})});
  Options options = small_options();
  options.model_path = first;
  EXPECT_THAT(refusal(options), AllOf(StartsWith("llama: " + first + ": "), HasSubstr("model-00002-of-00002.gguf")));
  const std::string second = (folder_ / "model-00002-of-00002.gguf").string();
  std::ofstream(second, std::ios::binary)
      << with_entries({entry("split.no", std::uint16_t{1}), entry("split.count", std::uint16_t{2}),
                       entry("split.tensors.count", std::int32_t{40})});
  options.model_path = second;
  EXPECT_THAT(refusal(options), AllOf(StartsWith("llama: " + second + ": "), HasSubstr("first")));
}

TEST_F(Files, DamagedAnywhereInTheHeaderAreRefusedOrRead) {
  const std::size_t tensors = good_.find("blk.0.attn_norm.weight");
  ASSERT_NE(tensors, good_.npos);
  for (std::size_t at = tensors; at < tensors + 400; at += 7) {  // names, shapes, types and places of tensors
    std::string changed = good_;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    Options options = small_options();
    options.model_path = (folder_ / "model.gguf").string();
    std::ofstream(options.model_path, std::ios::binary) << changed;
    const std::string message = refusal(options);
    EXPECT_TRUE(message.empty() || message.starts_with("llama: " + options.model_path + ": ")) << at << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST_F(Files, TruncatedAnywhereAreNamed) {
  EXPECT_THAT(refusal_of(good_.substr(0, 20)), HasSubstr("failed to read header"));
  EXPECT_THAT(refusal_of(good_.substr(0, 1000)), HasSubstr("failed to read key-value pairs"));
  EXPECT_THAT(refusal_of(good_.substr(0, good_.size() - 100)), HasSubstr("not within the file bounds"));
  for (std::size_t size = 4; size < 16384; size += 997)
    EXPECT_THAT(refusal_of(good_.substr(0, size)), HasSubstr("cannot be loaded")) << size;
}

TEST_F(Files, OfAnUnknownArchitectureAreNamed) {
  EXPECT_THAT(refusal_of(with_architecture("lxama")), HasSubstr("unknown model architecture: 'lxama'"));
}

TEST_F(Files, WithoutAKnownChatTemplateCannotBeAskedInTurns) {
  Options options = small_options();
  EXPECT_EQ(LlamaLanguageModel(options).capabilities().chat, icpi::llama::ChatTemplate::none);
  options.style = icpi::llama::PromptStyle::turns;
  EXPECT_THAT(refusal(options), HasSubstr("tiny.gguf: it has no chat template, as base models have none"));
  options.model_path = (folder_ / "odd.gguf").string();
  std::ofstream(options.model_path, std::ios::binary)
      << with_entries({entry("tokenizer.chat_template", "{{ messages | join(' and ') }}")});
  EXPECT_THAT(refusal(options), HasSubstr("odd.gguf: its chat template is none of those that libllama knows"));
  options.style = icpi::llama::PromptStyle::continuation;
  const LlamaLanguageModel model(options);
  EXPECT_EQ(model.capabilities().chat, icpi::llama::ChatTemplate::unknown);
  EXPECT_THAT(describe(model.capabilities()), HasSubstr("a template in the file that libllama does not know"));
}

TEST_F(Files, OfOtherVersionsAreNamed) {
  std::string changed = good_;
  changed[4] = 99;
  EXPECT_THAT(refusal_of(changed), HasSubstr("cannot be loaded"));
}

TEST_F(Files, WithNumbersThatNoModelHasAreNamed) {
  for (const std::uint32_t blocks : {0U, 513U, 0xFFFFFFFFU})
    EXPECT_THAT(refusal_of(with_number("llama.block_count", blocks)),
                HasSubstr(fmt::format("llama.block_count is {}; allowed: 1 to 512", blocks)));
  EXPECT_THAT(refusal_of(with_number("llama.context_length", 0)), HasSubstr("llama.context_length is 0; allowed"));
  for (const std::uint32_t length : {0x80000000U, 0xFFFFFFFFU})
    EXPECT_THAT(refusal_of(with_number("llama.context_length", length)),
                HasSubstr(fmt::format("llama.context_length is {}; allowed: 1 to 2147483647", length)));
}

TEST_F(Files, WhoseWeightsAreNoNumbersFailByItem) {
  std::string changed = good_;
  std::fill(changed.end() - (1 << 18), changed.end(), '\xFF');
  Options options = small_options();
  options.model_path = (folder_ / "nan.gguf").string();
  std::ofstream(options.model_path, std::ios::binary) << changed;
  LlamaLanguageModel model(options);
  const std::string_view choices[] = {"left", "right"};
  std::vector<CompletionRequest> requests(3, greedy("", "the cat"));
  requests[1].choices = choices;
  requests[2].sampling.temperature = 1;
  for (const Completion& each : icpi_test::ask_all(model, requests)) {
    EXPECT_EQ(each.error.category, ErrorCategory::invalid_request);
    EXPECT_THAT(each.error.message, HasSubstr("nan.gguf: the model computed numbers that are no probabilities"));
  }
  EXPECT_EQ(model.statistics().kv_bytes, 0U);
}

TEST_F(Files, ThatDifferHaveDifferentIdentities) {
  std::vector<std::string> variants{good_};
  for (const std::string_view key : {"llama.context_length", "llama.rope.freq_base", "tokenizer.ggml.bos_token_id"})
    if (good_.find(key) != good_.npos) variants.push_back(with_number(key, 1000));
  ASSERT_GE(variants.size(), 3U);
  for (const std::size_t at : {good_.find("<|end|>") + 3, good_.size() - 1}) {  // in a token's text, in the last weight
    std::string& changed = variants.emplace_back(good_);
    changed[at] = static_cast<char>(changed[at] ^ 1);
  }
  std::set<std::string> seen;
  for (const std::string& content : variants) {
    const std::string path = (folder_ / "model.gguf").string();
    std::ofstream(path, std::ios::binary) << content;
    const auto parts = icpi::llama::GgufHeader(path).telling_parts();
    EXPECT_TRUE(seen.insert(icpi::llama::fingerprint_of(path, parts)).second);
    EXPECT_FALSE(seen.insert(icpi::llama::fingerprint_of(path, parts)).second);
  }
}

TEST_F(Files, WhoseNamesHaveControlCharactersAreDescribedInOneLine) {
  std::string changed = good_;
  const std::string_view key = "general.name";
  const std::size_t at = changed.find(key);
  ASSERT_NE(at, changed.npos);
  changed[at + key.size() + 4 + 8] = '\n';  // behind type and length
  changed[at + key.size() + 4 + 9] = '\x1B';
  Options options = small_options();
  options.model_path = (folder_ / "named.gguf").string();
  std::ofstream(options.model_path, std::ios::binary) << changed;
  const LlamaLanguageModel model(options);
  EXPECT_TRUE(model.capabilities().name.starts_with("  ")) << model.capabilities().name;
}

TEST(Memory, ThatDoesNotSufficeIsNamed) {
  Options options = small_options();
  options.kv_mib = std::size_t{1} << 28U;
  EXPECT_THAT(refusal(options), HasSubstr("out of memory: 268435456 MiB for keys and values and "));
  options.kv_mib = 1;
  EXPECT_THAT(refusal(options), HasSubstr("kv_mib is 1; "));
  EXPECT_THAT(refusal(options), HasSubstr("needs at least 4 for one context of 4096 tokens"));
}

TEST(Contexts, LongerThanTrainedForAreRefused) {
  Options options = small_options();
  options.context = 5000;
  EXPECT_THAT(refusal(options), HasSubstr("context is 5000; "));
  EXPECT_THAT(refusal(options), HasSubstr("was trained for 4096"));
}

class Items : public testing::Test {
 protected:
  Items()
      : model_([] {
          Options options = small_options();
          options.context = 256;
          return options;
        }()) {}
  LlamaLanguageModel model_;
};

TEST_F(Items, TooLongForTheContextNameBothLengths) {
  const std::string text = icpi_test::records(1, 30);
  const Completion overflow = ask(model_, greedy(text, "x"));
  EXPECT_EQ(overflow.error.category, ErrorCategory::context_overflow);
  EXPECT_THAT(overflow.error.message, HasSubstr("tiny.gguf: a prompt of "));
  EXPECT_THAT(overflow.error.message, HasSubstr("a completion of up to 8 do not fit the context of 256"));
  EXPECT_EQ(ask(model_, greedy("", "hello", 256)).error.category, ErrorCategory::context_overflow);
  EXPECT_FALSE(ask(model_, greedy("", "hello", 200)).error);
}

TEST_F(Items, ThatFailLeaveTheirNeighboursAlone) {
  const std::string text = icpi_test::records(1, 30);
  std::vector<CompletionRequest> requests{greedy("", "one"),     greedy(text, "two"), greedy("", "three"),
                                          greedy("", "four", 0), greedy("", ""),      greedy("", "five")};
  const std::string_view empty;
  requests[5].stop = {&empty, 1};
  const auto completions = icpi_test::ask_all(model_, requests);
  EXPECT_FALSE(completions[0].error);
  EXPECT_EQ(completions[1].error.category, ErrorCategory::context_overflow);
  EXPECT_FALSE(completions[2].error);
  EXPECT_THAT(completions[3].error.message, HasSubstr("max_tokens is 0"));
  EXPECT_THAT(completions[4].error.message, HasSubstr("the prompt is empty"));
  EXPECT_THAT(completions[5].error.message, HasSubstr("a stop string is empty"));
  EXPECT_EQ(model_.statistics().errors, 4U);
  EXPECT_EQ(model_.statistics().in_flight + model_.statistics().queued, 0U);
}

TEST_F(Items, WithChoicesBeyondContextOrMemoryLeaveTheirNeighboursAlone) {
  const std::string very_long(200'000, 'x');
  std::vector<std::string> texts;
  icpi::RandomStream stream{icpi::RandomKey(5)};
  for (int i = 0; i < 100; ++i) {
    std::string& text = texts.emplace_back();
    while (text.size() < 120) text += static_cast<char>('a' + stream.index(26));
  }
  const std::vector<std::string_view> many(texts.begin(), texts.end());
  const std::vector<std::string_view> one{very_long};
  std::vector<CompletionRequest> requests(3, greedy("", "the cat"));
  requests[0].choices = one;
  requests[1].choices = many;
  requests[1].want_logprobs = true;  // of every token
  std::vector<Completion> completions(requests.size());
  model_.complete(requests, completions);
  EXPECT_EQ(completions[0].error.category, ErrorCategory::context_overflow);
  EXPECT_EQ(completions[1].error.category, ErrorCategory::context_overflow) << completions[1].error.message;
  EXPECT_FALSE(completions[2].error) << completions[2].error.message;
}

TEST_F(Items, MayWaitForEver) {
  CompletionRequest request = greedy("", "the cat");
  request.timeout = std::chrono::milliseconds::max();
  EXPECT_FALSE(ask(model_, request).error);
}

TEST_F(Items, OutOfTimeAreNamed) {
  CompletionRequest request = greedy("", "hello", 200);
  request.timeout = std::chrono::milliseconds(1);
  const Completion late = ask(model_, request);
  EXPECT_EQ(late.error.category, ErrorCategory::timeout);
  EXPECT_THAT(late.error.message, HasSubstr("1 ms"));
  EXPECT_EQ(model_.statistics().kv_bytes, 0U);
}

TEST(Interruptions, EndEverythingAsCancelled) {
  int polls = 0;
  Options options = small_options();
  options.interrupted = [&polls] { return ++polls > 3; };
  LlamaLanguageModel model(options);
  const auto completions = icpi_test::ask_all(model, {greedy("", "one", 100), greedy("", "two", 100)});
  for (const Completion& each : completions) EXPECT_EQ(each.error.category, ErrorCategory::cancelled);
}

TEST(Models, LeaveNothingBehind) {
  Options options = small_options();
  const std::string prefix = icpi_test::records(1, 10);
  const auto use = [&] {
    LlamaLanguageModel model(options);
    EXPECT_FALSE(ask(model, greedy(prefix, "x")).error);
    Options missing = options;
    missing.model_path += ".absent";
    EXPECT_NE(refusal(missing), "");
  };
  for (int i = 0; i < 3; ++i) use();
  const std::size_t before = icpi_test::resident_bytes();
  for (int i = 0; i < 10; ++i) use();
  EXPECT_LT(icpi_test::resident_bytes(), before + (8U << 20U)) << "ten models of 37 MiB";
}

}  // namespace
