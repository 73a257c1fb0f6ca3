// SPDX-License-Identifier: MIT
#include <memory>
#include <string_view>
#include <utility>

#include "icpi/store/completion_cache.hpp"
#include "model_sources.hpp"
#include "printable.hpp"

namespace icpi::program {

namespace {

/// Tells the ledger in the end how often it had the answer.
class CountedCache : public store::CompletionCache<AnyLanguageModel> {
 public:
  CountedCache(AnyLanguageModel model, store::CacheOptions options, std::shared_ptr<ModelLedger> ledger)
      : CompletionCache(std::move(model), std::move(options)), ledger_(std::move(ledger)) {}
  CountedCache(const CountedCache&) = delete;
  CountedCache& operator=(const CountedCache&) = delete;
  ~CountedCache() { ledger_->add_cache(statistics().hits, statistics().misses); }

 private:
  std::shared_ptr<ModelLedger> ledger_;
};

store::CacheOptions cache_options(const ModelChoice& choice) {
  store::CacheOptions options;
  options.file = choice.cache;
  options.require = choice.require_cache;
  options.optional = choice.cache_optional;
  options.notice = [](std::string_view text) { tell(text); };
  return options;
}

}  // namespace

void check_cache(const ModelChoice& choice) {
  store::CacheOptions options = cache_options(choice);
  options.verify_on_open = false;  // that is done when the run begins
  (void)store::CompletionStore(std::move(options));
}

ModelFactory with_cache(ModelFactory make, const ModelChoice& choice, std::shared_ptr<ModelLedger> ledger) {
  store::CacheOptions options = cache_options(choice);
  return [make = std::move(make), options = std::move(options), ledger = std::move(ledger)] {
    return AnyLanguageModel(std::make_unique<CountedCache>(make(), options, ledger));
  };
}

}  // namespace icpi::program
