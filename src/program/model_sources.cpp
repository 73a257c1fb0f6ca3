// SPDX-License-Identifier: MIT
#include "model_sources.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/recording.hpp"

namespace icpi::program {

namespace {

ModelSource induction_source() {
  return {"induction", "the embedded model: no weights, learns from the prompt alone", true,
          [](const ModelChoice&, const DomainProgram&, bool) -> ModelFactory {
            return [] { return AnyLanguageModel(std::make_unique<InductionModel>()); };
          }};
}

ModelSource oracle_source() {
  return {"oracle", "the environment itself as world model; actions copied from the prompt", true,
          [](const ModelChoice&, const DomainProgram& domain, bool hints) -> ModelFactory {
            return [&domain, hints] { return domain.make_oracle(hints); };
          }};
}

const ModelSource& find_source(std::string_view name) {
  std::vector<std::string_view> known;
  for (const ModelSource& each : model_sources()) {
    if (each.name == name && each.available) return each;
    if (each.name == name) throw InvalidArgument(fmt::format("model '{}' is not part of this build", name));
    if (each.available) known.push_back(each.name);
  }
  throw InvalidArgument(fmt::format("unknown model '{}': choose one of {}", name, fmt::join(known, ", ")));
}

}  // namespace

const std::vector<ModelSource>& model_sources() {
  static const std::vector<ModelSource> sources{induction_source(), oracle_source(), http_source(), llama_source()};
  return sources;
}

void check_model_name(std::string_view name) { (void)find_source(name); }

ModelFactory model_factory(const ModelChoice& choice, const DomainProgram& domain, bool hints) {
  ModelFactory make = find_source(choice.name).factory(choice, domain, hints);
  if (!choice.cache.empty()) make = with_cache(std::move(make), choice.cache);
  if (choice.record.empty()) return make;
  return [make, file = choice.record] { return AnyLanguageModel(RecordingModel<AnyLanguageModel>(make(), file)); };
}

}  // namespace icpi::program
