// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "icpi/http/language_model.hpp"
#include "model_sources.hpp"

namespace icpi::program {

ModelSource http_source() {
  return {"http", "a model behind an OpenAI-compatible server: --base-url, --model-name; key: OPENAI_API_KEY", true,
          [](const ModelChoice& choice, const DomainProgram&, bool) -> ModelFactory {
            http::Options options;
            if (!choice.url.empty()) options.base_urls = {choice.url};
            options.model = choice.model_name;
            options.notice = [](std::string_view text) { fmt::print(stderr, "icpi: {}\n", text); };
            options = http::with_environment(std::move(options));
            http::validate(options);
            return [options] { return AnyLanguageModel(std::make_unique<http::HttpLanguageModel>(options)); };
          }};
}

}  // namespace icpi::program
