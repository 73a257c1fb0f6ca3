// SPDX-License-Identifier: MIT
#include <array>
#include <string>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/llama/language_model.hpp"
#include "interrupt.hpp"
#include "model_sources.hpp"
#include "parse.hpp"

namespace icpi::program {

namespace {

constexpr std::array styles{llama::PromptStyle::continuation, llama::PromptStyle::turns};
constexpr std::array drafts{llama::DraftSource::none, llama::DraftSource::induction, llama::DraftSource::ngram};

llama::Options llama_options(const ModelChoice& choice) {
  const LlamaChoice& said = choice.llama;
  if (said.path.empty()) throw InvalidArgument("--model llama needs --model-path: name a GGUF file");
  llama::Options options;
  options.model_path = said.path;
  options.context = parse_count("--model-context", said.context, 0, 1U << 24U);
  options.kv_mib = parse_count("--kv-mib", said.kv_mib, 0, 1U << 30U);
  options.threads = static_cast<int>(parse_count("--model-threads", said.threads, 0, 512));
  const bool all_layers = said.gpu_layers == "all" || said.gpu_layers == "-1";
  options.gpu_layers = all_layers ? -1 : static_cast<int>(parse_count("--gpu-layers", said.gpu_layers, 0, 10'000));
  options.backend_directory = said.backend_directory;
  options.draft = parse_name("--draft", said.draft, drafts, options.draft);
  options.style = parse_name("--chat-style", choice.http.chat_style, styles, options.style);
  if (choice.http.instruction) options.instruction = *choice.http.instruction;
  options.interrupted = [] { return interrupting_signal() != 0; };
  llama::validate(options);
  return options;
}

}  // namespace

ModelSource llama_source() {
  ModelSource source{"llama", "a GGUF model in this process: --model-path", true, nullptr};
  source.factory = [](const ModelChoice& choice, const DomainProgram&, bool,
                      const std::shared_ptr<ModelLedger>&) -> ModelFactory {
    return [options = llama_options(choice)] { return AnyLanguageModel(llama::LlamaLanguageModel(options)); };
  };
  source.describe = [](const ModelChoice& choice) {
    return llama::describe(llama::LlamaLanguageModel(llama_options(choice)).capabilities());
  };
  return source;
}

}  // namespace icpi::program
