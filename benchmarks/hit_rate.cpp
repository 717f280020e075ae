// SPDX-License-Identifier: Apache-2.0
//
// What a cache and a background fetch make of a reconcile loop, in virtual time: for each reconcile
// interval and configuration, how often a look-up hits, how old what it gives is, and how often the
// backend is asked.
#include <wva_metrics/cache/memory_cache.hpp>
#include <wva_metrics/collector.hpp>
#include <wva_metrics/testing/fake_backend.hpp>
#include <wva_metrics/testing/manual_time.hpp>

#include "support/measurement.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using testing::ManualClock;
using testing::ManualTimer;

namespace {

constexpr int variants = 100;

struct Setting {
    const char* name;
    CacheConfig cache;
};

struct Outcome {
    CacheStats cache;
    std::vector<double> ages_seconds;
    std::uint64_t lookups = 0;
    std::uint64_t misses = 0;
    std::size_t batches = 0;
};

VariantAutoscaling variant(int number) {
    const std::string name = "variant-" + std::to_string(number);
    return {"llm", name, "model", name};
}

/// Every variant is looked up once per interval, at a time of its own that wanders by a fifth of
/// the interval.
Outcome simulate(const CacheConfig& cache, Duration interval, Duration simulated) {
    using Backend = testing::FakeBackend<ManualTimer>;
    boost::asio::io_context io;
    Backend backend;
    CollectorConfig config;
    config.cache = cache;
    Collector<Backend, MemoryCache, NullObserver, ManualTimer> collector(io.get_executor(), backend,
                                                                         config);
    const auto settle = [&] {
        io.restart();
        io.poll();
    };
    collector.start_background_fetching();

    std::mt19937 random(42); // Fixed, so that every run is the same.
    std::uniform_real_distribution<double> part(0.0, 1.0);
    const auto scaled = [&](double factor) {
        return Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * factor));
    };
    const TimePoint end = ManualClock::now() + simulated;
    std::vector<TimePoint> due;
    for (int i = 0; i < variants; ++i)
        due.push_back(ManualClock::now() + scaled(part(random)));

    Outcome outcome;
    int asked = 0;
    int answered = 0;
    while (ManualClock::now() < end) {
        ManualClock::advance(1s);
        settle();
        for (int i = 0; i < variants; ++i) {
            TimePoint& next = due[static_cast<std::size_t>(i)];
            if (ManualClock::now() < next)
                continue;
            next += scaled(0.9 + 0.2 * part(random));
            ++asked;
            const auto note = [&](const OptimizerSnapshot& snapshot) {
                ++answered;
                const Duration age = ManualClock::now() - snapshot.collected_at();
                outcome.ages_seconds.push_back(std::chrono::duration<double>(age).count());
            };
            if (const auto known = collector.find_optimizer_metrics(variant(i).key())) {
                note(*known);
                continue;
            }
            collector.async_collect_optimizer_metrics(
                variant(i), [&](const Result<OptimizerSnapshot>& result) { note(result.value()); });
            settle();
        }
    }
    outcome.cache = collector.stats().cache;
    outcome.batches = backend.batches();
    outcome.lookups = static_cast<std::uint64_t>(asked);
    // A miss is looked up twice: by find_optimizer_metrics, and by the collection that follows.
    outcome.misses = outcome.cache.misses / 2;
    if (asked != answered || outcome.cache.misses % 2 != 0 ||
        outcome.cache.hits + outcome.cache.stale_hits + outcome.misses != outcome.lookups) {
        std::fprintf(stderr, "hit_rate: %d look-ups were answered %d times and do not add up\n",
                     asked, answered);
        std::exit(1);
    }
    return outcome;
}

double percentile(std::vector<double>& values, double part) {
    const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + place, values.end());
    return values[static_cast<std::size_t>(place)];
}

} // namespace

int main(int count, char** arguments) {
    const bench::Options options = bench::parse_options(count, arguments);
    const Duration simulated = options.pick<Duration>(1h, 1h, 5min);
    const Setting settings[] = {
        {"TTL alone", {.fetch_interval = 0s, .stale_while_revalidate = 0s}},
        {"TTL + stale-while-revalidate", {.fetch_interval = 0s}},
        {"background every 15 s", {.fetch_interval = 15s}},
        {"background every 30 s", {.fetch_interval = 30s}},
    };
    std::printf("%d variants, %lld min of virtual time, TTL 30 s\n\n", variants,
                static_cast<long long>(
                    std::chrono::duration_cast<std::chrono::minutes>(simulated).count()));
    std::printf("%-12s %-30s %7s %7s %7s %9s %9s %14s\n", "reconcile", "cache", "hit", "stale",
                "miss", "age p50", "age p99", "batches/min");
    for (const Duration interval : {Duration(5s), Duration(10s), Duration(30s), Duration(60s)}) {
        for (const Setting& setting : settings) {
            Outcome outcome = simulate(setting.cache, interval, simulated);
            const auto lookups = static_cast<double>(outcome.lookups);
            const auto percent = [&](std::uint64_t count) {
                return 100.0 * static_cast<double>(count) / lookups;
            };
            const double minutes = std::chrono::duration<double, std::ratio<60>>(simulated).count();
            std::printf("%-12s %-30s %6.1f%% %6.1f%% %6.1f%% %7.1f s %7.1f s %14.1f\n",
                        (std::to_string(
                             std::chrono::duration_cast<std::chrono::seconds>(interval).count()) +
                         " s")
                            .c_str(),
                        setting.name, percent(outcome.cache.hits),
                        percent(outcome.cache.stale_hits), percent(outcome.misses),
                        percentile(outcome.ages_seconds, 0.5),
                        percentile(outcome.ages_seconds, 0.99),
                        static_cast<double>(outcome.batches) / minutes);
        }
    }
    return 0;
}
