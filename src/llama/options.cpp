// SPDX-License-Identifier: MIT
#include "icpi/llama/options.hpp"

#include "icpi/core/check_option.hpp"

namespace icpi::llama {

void validate(const Options& options) {
  check_option(!options.model_path.empty(), "llama: model_path", "''", "the name of a GGUF file");
  check_option(options.context == 0 || options.context >= 16, "llama: context", options.context, "0, or at least 16");
  check_option(options.kv_mib <= (std::size_t{1} << 30U), "llama: kv_mib", options.kv_mib, "at most 2^30");
  check_option(options.kv_type <= KvType::q8_0, "llama: kv_type", static_cast<int>(options.kv_type), "f32, f16, q8_0");
  check_option(options.concurrency >= 1 && options.concurrency <= 128, "llama: concurrency", options.concurrency,
               "1 to 128");
  check_option(options.batch_tokens >= 32 && options.batch_tokens <= 65536, "llama: batch_tokens", options.batch_tokens,
               "32 to 65536");
  check_option(options.style <= PromptStyle::turns, "llama: style", static_cast<int>(options.style),
               "continuation, turns");
  check_option(options.threads >= 0 && options.threads <= 512, "llama: threads", options.threads, "0 to 512");
}

}  // namespace icpi::llama
