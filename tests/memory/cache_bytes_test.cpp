// SPDX-License-Identifier: Apache-2.0
//
// What a cache holds on the heap, beside its bound on bytes and beside what it says.
#include "memory/allocations.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector/detail/attribute_cached.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using test_support::allocations;

namespace {

constexpr std::size_t max_bytes = std::size_t{4} << 20;
/// What may be held beyond a quarter more than the bound.
constexpr std::size_t fixed_bytes = std::size_t{768} << 10;
const TimePoint cache_begin{std::chrono::hours(1)};

template <typename Cache>
class Measured {
public:
    Cache cache{CacheLimits(1'000'000, max_bytes)};

    /// What this thread has allocated since, and not freed.
    std::size_t held() const { return static_cast<std::size_t>(allocations.bytes - before_); }

    void insert(const CacheKeyView& key, CachePayload payload) {
        cache.insert_or_assign(key, std::make_shared<const CacheEntry>(
                                        std::move(payload), cache_begin, TimePoint::max(),
                                        TimePoint::max(), cache.attribution_budget(key)));
    }
    void check_bound() const {
        CAPTURE(cache.stats().entries, cache.stats().bytes);
        CHECK(held() <= max_bytes + max_bytes / 4 + fixed_bytes);
    }
    /// The cache says what it holds, to within a quarter.
    void check_told() const {
        const std::size_t told = cache.stats().bytes;
        CAPTURE(told, held());
        CHECK(held() <= told + told / 4 + fixed_bytes);
        CHECK(told <= held() + held() / 4);
    }

private:
    const std::ptrdiff_t before_ = allocations.bytes;
};

std::string numbered(const std::string& text, int number) {
    return text + std::to_string(number);
}

OptimizerMetrics numbered_metrics(int number) {
    OptimizerMetrics metrics;
    metrics.namespace_name = "llm-inference-team-a";
    metrics.variant = numbered("llama-3-1-8b-instruct-h100-variant-", number);
    metrics.model_id = numbered("meta-llama/Llama-3.1-8B-Instruct-", number);
    metrics.deployment = metrics.variant;
    return metrics;
}

ReplicaSamples cached_samples(const ModelKey& model, int pods) {
    ReplicaSamples samples;
    samples.model = model;
    for (int pod = 0; pod < pods; ++pod) {
        ReplicaSample& sample = samples.pods.emplace_back();
        sample.pod = numbered("llama-3-1-8b-instruct-h100-5d4f8c7b9-x7k2", pod);
        sample.owner = PodOwner{"Deployment", "llama-3-1-8b-instruct-h100", {}};
    }
    return samples;
}

/// Different lists of one model's variants.
std::vector<VariantAutoscaling> variants_of(const ModelKey& model, double cost) {
    const std::string name = "llama-3-1-8b-instruct-h100";
    return {{model.namespace_name, name, model.model_id, name, "H100", cost}};
}

ModelKey model_number(int number) {
    return {"llm-inference-team-a", numbered("meta-llama/Llama-3.1-8B-Instruct-", number)};
}

/// Looks a model up as a collector does for callers with different variants.
template <typename Cache>
void attribute(Cache& cache, const ModelKey& model, int callers) {
    const CacheEntryPtr entry = cache.find(replica_key(model), cache_begin);
    KnownWorkloads known;
    for (int caller = 0; entry != nullptr && caller < callers; ++caller)
        detail::attribute_cached(*entry, variants_of(model, caller), known, cache_begin);
}

} // namespace

TEMPLATE_TEST_CASE("a cache holds no more than its bound on bytes, and says what it holds", "",
                   MemoryCache, ShardedCache) {
    Measured<TestType> measured;
    SECTION("many small entries") {
        for (int i = 0; i < 20'000; ++i) {
            const std::string name = std::to_string(i);
            measured.insert(availability_key({"ns", name}), Availability{});
        }
    }
    SECTION("many namespaces") {
        for (int i = 0; i < 20'000; ++i) {
            const std::string name = numbered("a-namespace-of-its-own-", i);
            measured.insert(availability_key({name, name}), Availability{});
        }
    }
    SECTION("long keys") {
        for (int i = 0; i < 5'000; ++i) {
            const std::string name = numbered(std::string(2000, 'n'), i);
            measured.insert(optimizer_key("ns", name), Availability{});
        }
    }
    SECTION("long texts inside") {
        for (int i = 0; i < 5'000; ++i) {
            OptimizerMetrics metrics = numbered_metrics(i);
            metrics.warnings.assign(5, std::string(1000, 'w'));
            const std::string name = metrics.variant;
            measured.insert(optimizer_key("ns", name), std::move(metrics));
        }
    }
    SECTION("optional readings of pods and of attributed replicas") {
        for (int i = 0; i < 1'000; ++i) {
            const ModelKey model = model_number(i);
            ReplicaSamples samples = cached_samples(model, 10);
            for (ReplicaSample& pod : samples.pods)
                for (const OptionalReadingInfo& info : optional_readings)
                    pod.optional.set(info.reading, Reading<double>::measured(1, cache_begin));
            measured.insert(replica_key(model), std::move(samples));
            attribute(measured.cache, model, 3);
        }
    }
    SECTION("large entries beside small ones") {
        for (int i = 0; i < 3'000; ++i) {
            const ModelKey model = model_number(i);
            measured.insert(replica_key(model), cached_samples(model, i % 50 == 0 ? 300 : 1));
        }
    }
    SECTION("attributions for several callers") {
        for (int i = 0; i < 2'000; ++i) {
            const ModelKey model = model_number(i);
            measured.insert(replica_key(model), cached_samples(model, 10));
            attribute(measured.cache, model, 6);
        }
        measured.check_bound();
        for (int i = 0; i < 2'000; ++i)
            attribute(measured.cache, model_number(i), 6);
    }
    measured.check_bound();
    measured.check_told();
    CHECK(measured.held() > max_bytes * 3 / 4); // The bound is used.
    CHECK(measured.cache.stats().evictions > 0);

    measured.cache.clear();
    CHECK(measured.cache.stats().bytes == 0);
    CHECK(measured.held() < fixed_bytes);
}

TEMPLATE_TEST_CASE("a slow visitor keeps its own entry and no others", "", MemoryCache,
                   ShardedCache) {
    Measured<TestType> measured;
    const ModelKey visited = model_number(0);
    const auto replace_all = [&] {
        for (int i = 0; i < 20'000; ++i) {
            const ModelKey model = model_number(i % 500);
            measured.insert(replica_key(model), cached_samples(model, 10));
        }
    };
    replace_all();
    bool was_visited =
        measured.cache.visit(replica_key(visited), cache_begin, [&](const CacheEntry&) {
            replace_all();
            measured.check_bound();
            measured.cache.erase_prefix("");
            measured.cache.erase_expired(cache_begin);
            CHECK(measured.held() < fixed_bytes);
            replace_all();
        });
    CHECK(was_visited);
    measured.check_bound();
    measured.check_told();
}

TEMPLATE_TEST_CASE("a cache that is emptied in any way gives its memory back", "", MemoryCache,
                   ShardedCache) {
    Measured<TestType> measured;
    const auto fill = [&] {
        for (int i = 0; i < 20'000; ++i) {
            OptimizerMetrics metrics = numbered_metrics(i);
            const std::string name = metrics.variant;
            measured.insert(optimizer_key("ns", name), std::move(metrics));
        }
    };
    fill();
    SECTION("by a prefix") {
        measured.cache.erase_prefix("allocation:ns/");
        CHECK(measured.cache.size() == 0);
        fill(); // Beside those that were invalidated, but not removed yet.
        measured.check_bound();
        measured.cache.erase_prefix("allocation:ns/");
        measured.cache.erase_expired(cache_begin);
    }
    SECTION("by the beginning of a name") {
        measured.cache.erase_prefix("allocation:ns/llama");
        measured.cache.erase_expired(cache_begin);
    }
    SECTION("by key") {
        for (int i = 0; i < 20'000; ++i) {
            const std::string name = numbered_metrics(i).variant;
            measured.cache.erase(optimizer_key("ns", name));
        }
        measured.cache.erase_expired(cache_begin);
    }
    SECTION("by smaller limits") {
        measured.cache.set_limits({10, max_bytes});
        CHECK(measured.cache.size() >= 8);
    }
    SECTION("by clear") {
        measured.cache.clear();
    }
    CHECK(measured.held() < fixed_bytes);
}

TEST_CASE("attributions that do not fit are computed again, and take nothing") {
    Measured<MemoryCache> measured;
    measured.cache.set_limits({100, 20'000});
    const ModelKey model = model_number(0);
    measured.insert(replica_key(model), cached_samples(model, 10));
    const CacheEntryPtr entry = measured.cache.find(replica_key(model), cache_begin);
    REQUIRE(entry);
    KnownWorkloads known;
    int kept = 0;
    for (int caller = 0; caller < 4; ++caller) {
        const auto variants = variants_of(model, caller);
        const auto first = detail::attribute_cached(*entry, variants, known, cache_begin);
        const auto second = detail::attribute_cached(*entry, variants, known, cache_begin);
        CHECK(first.replicas->replicas.size() == 10);
        CHECK(second.replicas->replicas.size() == 10);
        kept += !second.computed;
    }
    CHECK(kept == 1);
    CHECK(measured.cache.stats().bytes <= 20'000 + 20'000 / 16);
}
