// SPDX-License-Identifier: MIT
#include "earlier_entry.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "sha256.hpp"

namespace icpi::store {

namespace {

constexpr char record_version = 1;

class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] std::uint64_t number() {
    std::uint64_t value = 0;
    const std::string_view bytes = take(8);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    return value;
  }
  [[nodiscard]] std::string_view text() { return take(number()); }
  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() const noexcept { return good_ && bytes_.empty(); }

  [[nodiscard]] std::string_view take(std::uint64_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, static_cast<std::size_t>(size));
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

void feed(Sha256& hash, std::uint64_t number) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(number >> 8 * i & 0xFFU);
  hash.update({bytes.data(), bytes.size()});
}

/// With its length, so that no two different lists of texts feed the same bytes.
void feed(Sha256& hash, std::string_view text) {
  feed(hash, std::uint64_t{text.size()});
  hash.update(text);
}

void feed(Sha256& hash, std::span<const std::string_view> texts) {
  feed(hash, std::uint64_t{texts.size()});
  for (const std::string_view text : texts) feed(hash, text);
}

}  // namespace

std::optional<Completion> read_earlier_entry(std::string_view bytes) {
  Reader reader(bytes);
  const std::string_view head = reader.take(2);
  if (!reader.good() || head[0] != record_version) return std::nullopt;
  Completion completion;
  completion.finish = static_cast<FinishReason>(head[1]);
  if (completion.finish != FinishReason::stop && completion.finish != FinishReason::length) return std::nullopt;
  completion.usage.prompt_tokens = reader.number();
  completion.usage.cached_tokens = reader.number();
  completion.usage.completion_tokens = reader.number();
  completion.text = reader.text();
  const std::uint64_t tokens = reader.number();
  for (std::uint64_t i = 0; i < tokens && reader.good(); ++i) {
    std::string token(reader.text());
    completion.tokens.push_back({std::move(token), std::bit_cast<double>(reader.number())});
  }
  if (!reader.at_end()) return std::nullopt;
  return completion;
}

std::optional<std::string> earlier_key(std::string_view model, const CompletionRequest& request) {
  const Sampling& sampling = request.sampling;
  if (!sampling.temperature || !sampling.top_p || !sampling.max_tokens || !request.seed) return std::nullopt;
  Sha256 hash;
  feed(hash, model);
  // The prompt is the concatenation; where it is split does not matter.
  feed(hash, std::uint64_t{request.prefix.text.size() + request.query.size()});
  hash.update(request.prefix.text);
  hash.update(request.query);
  feed(hash, request.stop);
  feed(hash, request.choices);
  // 0.0 makes -0.0 the same temperature as 0.
  feed(hash, std::bit_cast<std::uint64_t>(*sampling.temperature + 0.0));
  feed(hash, std::bit_cast<std::uint64_t>(*sampling.top_p + 0.0));
  feed(hash, static_cast<std::uint64_t>(*sampling.max_tokens));
  feed(hash, *request.seed);
  feed(hash, std::uint64_t{request.sample_index});
  feed(hash, std::uint64_t{request.want_logprobs ? 1U : 0U});
  const Sha256::Digest digest = hash.finish();
  return std::string(digest.begin(), digest.end());
}

}  // namespace icpi::store
