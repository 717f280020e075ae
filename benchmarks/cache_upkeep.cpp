// SPDX-License-Identifier: Apache-2.0
//
// Costs of a cache other than reads: allocations, memory, the hit ratio if not all entries fit,
// invalidation of a namespace, and the sweep of expired entries.
#include <wva_metrics/cache/memory_cache.hpp>
#include <wva_metrics/cache/sharded_cache.hpp>

#include "support/allocations.hpp"
#include "support/cache_work.hpp"
#include "support/measurement.hpp"
#include "support/mutex_lru.hpp"
#include "support/text_map.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace bench;
using wva_metrics::BasicShardedCache;
using wva_metrics::CacheEntry;
using wva_metrics::CacheEntryPtr;
using wva_metrics::EntryKind;
using wva_metrics::MemoryCache;

namespace {

constexpr std::size_t plenty = std::size_t{1} << 40;
constexpr const char* lru_name = "mutex + unordered_map + list";

std::unique_ptr<BasicShardedCache<Entry>> filled_cache(const Keys& keys) {
    auto cache =
        std::make_unique<BasicShardedCache<Entry>>(wva_metrics::CacheLimits(plenty, plenty));
    for (std::size_t i = 0; i < keys.size(); ++i)
        cache->insert_or_assign(keys.parts(i), make_shared_entry(i));
    return cache;
}
std::unique_ptr<MutexLru<Entry>> filled_lru(const Keys& keys) {
    auto lru = std::make_unique<MutexLru<Entry>>(plenty);
    for (std::size_t i = 0; i < keys.size(); ++i)
        lru->insert_or_assign(keys.text(i), make_shared_entry(i));
    return lru;
}
std::unique_ptr<ConcurrentMap<EntryPtr>> filled_map(const Keys& keys) {
    auto map = std::make_unique<ConcurrentMap<EntryPtr>>();
    for (std::size_t i = 0; i < keys.size(); ++i)
        map->insert_or_assign(std::string(keys.text(i)), make_shared_entry(i));
    return map;
}

/// The median duration of several runs, in seconds.
template <typename Before, typename Run>
double median_seconds(int runs, const Before& before_each, const Run& run) {
    std::vector<double> seconds;
    for (int i = 0; i < runs; ++i) {
        before_each();
        const double begin = seconds_now();
        run(i);
        seconds.push_back(seconds_now() - begin);
    }
    std::ranges::nth_element(seconds, seconds.begin() + runs / 2);
    return seconds[static_cast<std::size_t>(runs / 2)];
}

void count_allocations(const Keys& keys) {
    const auto cache = filled_cache(keys);
    const auto count = [&](const char* work, const auto& look_up) {
        look_up(0); // The first look-up of a thread may register the thread.
        const std::uint64_t before = allocations;
        for (std::size_t i = 0; i < keys.size(); ++i)
            look_up(i);
        const std::uint64_t counted = allocations - before;
        const Row row("cache allocations per look-up", work, "allocations", Better::less);
        row.ours(static_cast<double>(counted) / static_cast<double>(keys.size()));
        row.target_at_most(0);
    };
    count("hit, read in place", [&](std::size_t i) {
        require(cache->visit(keys.parts(i), now(), [](const Entry&) {}), "a key is missing");
    });
    count("hit, snapshot handed out", [&](std::size_t i) {
        require(cache->find(keys.parts(i), now()) != nullptr, "no entry");
    });
    count("miss", [&](std::size_t i) {
        CacheKeyView key = keys.parts(i);
        key.kind = EntryKind::availability;
        require(cache->find(key, now()) == nullptr, "an entry was found that was never stored");
    });
}

template <typename Fill>
double bytes_per_entry(const Keys& keys, const Fill& fill) {
    const std::size_t before = heap_bytes();
    const auto cache = fill(keys);
    return static_cast<double>(heap_bytes() - before) / static_cast<double>(keys.size());
}

void weigh(const Keys& keys) {
    const Row row("cache memory", grouped(keys.size()) + " entries of 96 bytes, keys of 36",
                  "bytes per entry", Better::less);
    row.ours(bytes_per_entry(keys, filled_cache));
    row.peer(lru_name, bytes_per_entry(keys, filled_lru), 1 / 0.75);
    row.peer("boost::concurrent_flat_map, shared_ptr", bytes_per_entry(keys, filled_map));
}

/// Numbers below `keys` in random order; the n-th most frequent one occurs in proportion to
/// n^-0.99.
std::vector<std::uint32_t> zipf_trace(std::size_t keys, std::size_t length) {
    std::vector<double> cumulative(keys);
    double sum = 0;
    for (std::size_t i = 0; i < keys; ++i)
        cumulative[i] = sum += std::pow(static_cast<double>(i + 1), -0.99);
    std::mt19937_64 random(42);
    std::vector<std::uint32_t> numbers(keys);
    for (std::size_t i = 0; i < keys; ++i)
        numbers[i] = static_cast<std::uint32_t>(i);
    std::ranges::shuffle(numbers, random);
    std::uniform_real_distribution<double> any(0, sum);
    std::vector<std::uint32_t> trace(length);
    for (std::uint32_t& number : trace) {
        const auto place = std::ranges::lower_bound(cumulative, any(random));
        number = numbers[static_cast<std::size_t>(
            std::min(place - cumulative.begin(), std::ssize(cumulative) - 1))];
    }
    return trace;
}

/// Percentage of the look-ups that hit, if every miss stores the entry.
template <typename Find, typename Store>
double hit_percent(const std::vector<std::uint32_t>& trace, const Find& find, const Store& store) {
    std::size_t hits = 0;
    for (const std::uint32_t number : trace) {
        if (find(number))
            ++hits;
        else
            store(number);
    }
    return 100 * static_cast<double>(hits) / static_cast<double>(trace.size());
}

void compare_hit_ratios(const Keys& keys, std::size_t requests) {
    const std::vector<std::uint32_t> trace = zipf_trace(keys.size(), requests);
    const std::size_t capacity = keys.size() / 10;
    BasicShardedCache<Entry> sharded({capacity, plenty});
    MemoryCache memory({capacity, plenty});
    MutexLru<Entry> lru(capacity);
    const EntryPtr entry = make_shared_entry(0);
    const TimePoint at = now();
    const auto cached = std::make_shared<const CacheEntry>(
        wva_metrics::Availability{}, at, at + std::chrono::hours(1), at + std::chrono::hours(1));
    const double ours = hit_percent(
        trace,
        [&](std::uint32_t i) { return sharded.visit(keys.parts(i), at, [](const Entry&) {}); },
        [&](std::uint32_t i) { sharded.insert_or_assign(keys.parts(i), entry); });
    const double exact = hit_percent(
        trace, [&](std::uint32_t i) { return memory.find(keys.parts(i), at) != nullptr; },
        [&](std::uint32_t i) { memory.insert_or_assign(keys.parts(i), cached); });
    const double peer = hit_percent(
        trace, [&](std::uint32_t i) { return lru.find(keys.text(i), at) != nullptr; },
        [&](std::uint32_t i) { lru.insert_or_assign(keys.text(i), entry); });
    require(exact == peer, "MemoryCache is not an exact LRU");

    const std::string work =
        "Zipf 0.99, " + grouped(keys.size()) + " keys, room for a tenth, from cold";
    const Row ratio("cache hit ratio", work, "%", Better::more);
    ratio.ours(ours);
    ratio.peer("LRU, as MemoryCache", peer);
    const Row points("cache hit ratio above LRU's", work, "points", Better::more);
    points.ours(ours - peer);
    points.target_at_least(4.5);
}

/// The median time in which `erase(prefix)`, which returns the number of erased keys, invalidates
/// one namespace. `before_each()` is not measured.
template <typename Erase, typename Before>
double seconds_per_namespace(const Keys& keys, const Erase& erase, const Before& before_each) {
    constexpr int runs = 11;
    return median_seconds(runs, before_each, [&](int run) {
        const std::string prefix(keys.text(static_cast<std::size_t>(run)).substr(0, 15));
        require(erase(prefix) == keys.size() / Keys::namespaces,
                "not exactly one namespace was invalidated");
    });
}
const auto nothing = [] {};

void invalidate(const Keys& keys, double at_least) {
    const auto cache = filled_cache(keys);
    const auto map = filled_map(keys);
    const auto from_map = [&](const std::string& prefix) {
        return map->erase_if([&](const auto& pair) { return pair.first.starts_with(prefix); });
    };
    const auto from_cache = [&](const std::string& prefix) { return cache->erase_prefix(prefix); };
    const Row row("cache invalidation of a namespace",
                  "1 % of " + grouped(keys.size()) + " entries", "us", Better::less);
    row.ours(1e6 * seconds_per_namespace(keys, from_cache, nothing));
    row.peer("boost::concurrent_flat_map, erase_if",
             1e6 * seconds_per_namespace(keys, from_map, nothing), at_least);
}

/// Whether invalidation depends on the size of the cache. Measured with cold processor caches,
/// because otherwise the difference would be that of the processor caches.
void compare_invalidations(const Keys& few, const Keys& many) {
    const auto seconds = [](const Keys& keys) {
        const auto cache = filled_cache(keys);
        std::vector<char> other_memory(std::size_t{1} << 26);
        return seconds_per_namespace(
            keys, [&](const std::string& prefix) { return cache->erase_prefix(prefix); },
            [&] {
                for (std::size_t i = 0; i < other_memory.size(); i += 64)
                    ++other_memory[i];
                keep(other_memory.data());
            });
    };
    const Row row("cache invalidation of a namespace, from cold",
                  grouped(many.size()) + " entries against " + grouped(few.size()), "us",
                  Better::less);
    const double of_few = seconds(few);
    row.ours(1e6 * seconds(many));
    row.peer("ours, " + grouped(few.size()) + " entries", 1e6 * of_few, 0.5);
}

void sweep(const Keys& keys) {
    const auto cache = filled_cache(keys);
    const auto lru = filled_lru(keys);
    for (const std::uint32_t i : random_order(keys.size(), keys.size())) {
        // After some use, the nodes of an LRU list are in no order of addresses.
        require(cache->find(keys.parts(i), now()) != nullptr, "a key is missing");
        require(lru->find(keys.text(i), now()) != nullptr, "a key is missing");
    }
    const auto milliseconds = [](auto& swept) {
        return 1e3 * median_seconds(5, nothing, [&](int) {
                   require(swept.erase_expired(now()) == 0,
                           "an entry was swept that had not expired");
               });
    };
    const Row row("cache sweep of expired entries", grouped(keys.size()) + " entries, none expired",
                  "ms", Better::less);
    row.ours(milliseconds(*cache));
    row.peer(lru_name, milliseconds(*lru), 50);
}

void compare_memory_cache(std::size_t count, std::size_t operations) {
    const Keys keys(count);
    const auto order = random_order(count, std::size_t{1} << 16);
    MemoryCache cache({2 * count, plenty});
    MutexLru<CacheEntry> lru(2 * count);
    const TimePoint at = now();
    for (std::size_t i = 0; i < count; ++i) {
        wva_metrics::OptimizerMetrics metrics;
        metrics.variant = std::to_string(i);
        const auto entry = std::make_shared<const CacheEntry>(
            std::move(metrics), at + std::chrono::nanoseconds(i), at + std::chrono::hours(1),
            at + std::chrono::hours(1));
        cache.insert_or_assign(keys.parts(i), entry);
        lru.insert_or_assign(keys.text(i), entry);
    }
    const auto number_of = [&](const CacheEntryPtr& entry) {
        return entry ? static_cast<std::uint64_t>((entry->collected_at() - at).count()) : 0;
    };
    for (const int threads : {1, 2}) {
        const std::size_t each = operations / static_cast<std::size_t>(threads);
        const Row row("MemoryCache, all hits",
                      grouped(count) + " keys, " + std::to_string(threads) +
                          (threads == 1 ? " thread" : " threads"),
                      "Mops/s", Better::more);
        const auto measure = [&](const auto& find) {
            const auto operation = [&](std::uint32_t i, std::size_t) { return number_of(find(i)); };
            mops(threads, each / 4, order, operation); // Warms up.
            return mops(threads, each, order, operation);
        };
        row.ours(measure([&](std::uint32_t i) { return cache.find(keys.parts(i), now()); }));
        row.peer(lru_name, measure([&](std::uint32_t i) { return lru.find(keys.text(i), now()); }),
                 1);
    }
}

constexpr Help help{"Costs of a cache other than reads: allocations, memory, the hit ratio if not "
                    "all entries fit,\n"
                    "invalidation of a namespace, and the sweep of expired entries."};

} // namespace

int main(int count, char** arguments) {
    const Options options = parse_options(count, arguments, help);
    const Keys keys(options.pick<std::size_t>(100'000, 100'000, 1'000));
    count_allocations(keys);
    weigh(keys);
    // The caches start empty, so the number of look-ups is part of the result.
    compare_hit_ratios(keys, options.pick<std::size_t>(2'000'000, 2'000'000, 10'000));
    const Keys fewer(1'000);
    invalidate(fewer, 0);
    invalidate(keys, 200);
    compare_invalidations(fewer, keys);
    sweep(keys);
    compare_memory_cache(10'000, options.pick<std::size_t>(2'000'000, 1'000'000, 1'000));
    return 0;
}
