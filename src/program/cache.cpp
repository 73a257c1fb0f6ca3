// SPDX-License-Identifier: MIT
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "cache_database.hpp"
#include "icpi/store/completion_cache.hpp"
#include "model_sources.hpp"
#include "printable.hpp"

namespace icpi::program {

namespace {

using Place = store::CacheBackend;

/// Tells the ledger in the end how often a cache's place had the answer.
class CountedPlace {
 public:
  CountedPlace(std::shared_ptr<Place> place, std::shared_ptr<ModelLedger> ledger)
      : place_(std::move(place)), ledger_(std::move(ledger)) {}
  CountedPlace(const CountedPlace&) = delete;
  CountedPlace& operator=(const CountedPlace&) = delete;
  ~CountedPlace() {
    const store::CacheStatistics counted = place_->statistics();
    ledger_->add_cache(counted.hits, counted.misses);
  }

  [[nodiscard]] Place& place() const noexcept { return *place_; }

 private:
  std::shared_ptr<Place> place_;
  std::shared_ptr<ModelLedger> ledger_;
};

/// The same place; the ledger is told when its last user is gone.
std::shared_ptr<Place> counted(std::shared_ptr<Place> place, std::shared_ptr<ModelLedger> ledger) {
  auto owner = std::make_shared<CountedPlace>(std::move(place), std::move(ledger));
  Place& there = owner->place();
  return {std::move(owner), &there};
}

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
  if (names_database(choice.cache)) {
    (void)open_database(choice);
    return;
  }
  store::CacheOptions options = cache_options(choice);
  options.verify_on_open = false;  // that is done when the run begins
  (void)store::CompletionStore(std::move(options));
}

ModelFactory with_cache(ModelFactory make, const ModelChoice& choice, std::shared_ptr<ModelLedger> ledger) {
  using Cache = store::CompletionCache<AnyLanguageModel>;
  if (names_database(choice.cache)) {
    // All models of this process share its connections.
    const auto place = std::make_shared<std::weak_ptr<Place>>();
    const auto mutex = std::make_shared<std::mutex>();
    return [=, make = std::move(make)] {
      const std::lock_guard lock(*mutex);
      std::shared_ptr<Place> shared = place->lock();
      if (!shared) *place = shared = counted(open_database(choice), ledger);
      return AnyLanguageModel(std::make_unique<Cache>(make(), std::move(shared)));
    };
  }
  return [make = std::move(make), options = cache_options(choice), ledger = std::move(ledger)] {
    auto place = counted(std::make_shared<store::CompletionStore>(options), ledger);
    return AnyLanguageModel(std::make_unique<Cache>(make(), std::move(place)));
  };
}

}  // namespace icpi::program
