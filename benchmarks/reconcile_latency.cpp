// SPDX-License-Identifier: Apache-2.0
//
// Latency of a reconcile loop that reads all variants and their models' replicas once a second,
// from a collector over a real Prometheus: without background fetching, and with it every 15 s and
// every 30 s; compared with a replay of the Go original's plan.
//
// All loops run at the same time, each on its own thread, started a part of a second apart.
#include "rounds/go_plan.hpp"
#include "rounds/numbered_variants.hpp"
#include "rounds/written_prometheus.hpp"
#include "support/measurement.hpp"

#include <wva_metrics/backend/prometheus_backend.hpp>
#include <wva_metrics/cache/sharded_cache.hpp>
#include <wva_metrics/collector.hpp>
#include <wva_metrics/observer/observer.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using namespace bench;

namespace {

constexpr const char* path = "reconcile latency";

struct Schedule {
    std::size_t variants;
    int reads;
    Duration between_reads;
    /// Divides the times of a configuration, except the call timeout, because Prometheus does not
    /// become faster. So an interval of 30 s between rounds is a little shorter in proportion.
    int shortened_by;
    const char* in_words;
};

/// The seed's TTL, if nothing is shortened.
constexpr Duration ttl = 30s;

struct Seen {
    std::vector<double> read_seconds;
    std::size_t hits = 0;
    std::size_t lookups = 0;
    std::size_t queries = 0;
    double seconds = 0;

    /// Of all reads except the first, which finds an empty cache.
    double percentile(double part) const {
        std::vector<double> sorted(read_seconds.begin() + 1, read_seconds.end());
        std::ranges::sort(sorted);
        const double rank = std::ceil(part * static_cast<double>(sorted.size()));
        return sorted[static_cast<std::size_t>(rank) - 1];
    }
};

/// Calls `wait_until(time)` and `read()` in turn.
template <typename Wait, typename Read>
void reconcile(Seen& seen, const Schedule& schedule, TimePoint first, Wait wait_until, Read read) {
    for (int i = 0; i < schedule.reads; ++i) {
        wait_until(first + i * schedule.between_reads);
        const double before = seconds_now();
        read();
        seen.read_seconds.push_back(seconds_now() - before);
    }
    const TimePoint end = first + schedule.reads * schedule.between_reads;
    wait_until(end);
    seen.seconds = std::chrono::duration<double>(end - first).count();
}

std::vector<VariantAutoscaling> variants_of(const Schedule& schedule) {
    std::vector<VariantAutoscaling> variants;
    for (std::size_t i = 0; i < schedule.variants; ++i)
        variants.push_back(numbered_variant(i));
    return variants;
}

/// A batch takes three queries: which series live, their samples, and one about the pods. Batches of
/// both kinds may share them, so this is an upper bound.
class CountedQueries {
public:
    explicit CountedQueries(std::atomic<std::size_t>& queries) : queries_(&queries) {}
    void operator()(const events::FetchStarted&) { *queries_ += 3; }

private:
    std::atomic<std::size_t>* queries_;
};

enum class Road { by_name, by_handle };

Seen read_collector(const WrittenPrometheus& prometheus, const Schedule& schedule,
                    Duration fetch_interval, Road road, TimePoint first) {
    Seen seen;
    std::atomic<std::size_t> queries{0};
    boost::asio::io_context io;
    CollectorConfig config;
    config.cache.fetch_interval = fetch_interval / schedule.shortened_by;
    config.cache.ttl = ttl / schedule.shortened_by;
    config.cache.stale_while_revalidate /= schedule.shortened_by;
    using Counted = Collector<PrometheusBackend, ShardedCache, CountedQueries>;
    Counted collector(io.get_executor(),
                      PrometheusBackend(io.get_executor(), PrometheusConfig::at(prometheus.url())),
                      config, CountedQueries(queries));
    collector.start_background_fetching();
    const std::vector<VariantAutoscaling> variants = variants_of(schedule);

    struct Handles {
        VariantHandle variant;
        ModelHandle model;
    };
    std::vector<Handles> handles;
    for (const VariantAutoscaling& variant : variants)
        handles.push_back({collector.handle(variant), collector.handle(variant.model())});
    const auto ignore = [](const auto&) {};
    const auto find_variant = [&](std::size_t i) {
        return road == Road::by_handle
                   ? collector.visit(handles[i].variant, ignore)
                   : collector.find_optimizer_metrics(variants[i].key()).has_value();
    };
    const auto find_model = [&](std::size_t i) {
        const std::span own(&variants[i], 1);
        return road == Road::by_handle
                   ? collector.visit(handles[i].model, own, ignore)
                   : collector.find_replica_metrics(variants[i].model(), own).has_value();
    };

    const auto read = [&] {
        std::size_t pending = 0;
        const auto collected = [&](const auto&) { --pending; };
        for (std::size_t i = 0; i < variants.size(); ++i) {
            if (find_variant(i)) {
                ++seen.hits;
            } else {
                ++pending;
                collector.async_collect(handles[i].variant, collected);
            }
            if (find_model(i)) {
                ++seen.hits;
            } else {
                ++pending;
                collector.async_collect(handles[i].model, {variants[i]}, collected);
            }
        }
        seen.lookups += 2 * variants.size();
        while (pending > 0) {
            io.restart();
            io.run_one();
        }
    };
    const auto wait_until = [&](TimePoint time) {
        io.restart();
        io.run_until(time);
        std::this_thread::sleep_until(time);
    };
    reconcile(seen, schedule, first, wait_until, read);
    collector.stop_background_fetching();
    while (collector.stats().in_flight > 0)
        io.run_one();
    require(collector.stats().failed_targets == 0, "a query to Prometheus failed");
    seen.queries = queries;
    return seen;
}

/// The Go original's cache and background fetching. Entries hold only the time of collection: a hit
/// here is a bare look-up, while the collector also attributes pods to variants and checks
/// freshness.
class GoCollector {
public:
    GoCollector(std::uint16_t port, Duration entries_live) : ttl_(entries_live), plan_(port) {}

    /// Does both look-ups for one variant. Returns the number of hits.
    std::size_t read(const VariantAutoscaling& variant) {
        std::size_t hits = 0;
        if (is_known(variant.name))
            ++hits;
        else
            refresh(variant.name, [&] { plan_.ask(variant); });
        if (is_known(variant.model_id))
            ++hits;
        else
            refresh(variant.model_id, [&] { plan_.ask(variant.model(), {variant.deployment}); });
        return hits;
    }
    /// The background fetching, over the connection of `background`.
    void fetch(GoPlan& background, const VariantAutoscaling& variant) {
        refresh(variant.name, [&] { background.ask(variant); });
        refresh(variant.model_id, [&] { background.ask(variant.model(), {variant.deployment}); });
    }
    std::size_t queries() const noexcept { return plan_.queries(); }

private:
    bool is_known(const std::string& key) {
        const std::lock_guard lock(mutex_);
        const auto found = collected_at_.find(key);
        return found != collected_at_.end() &&
               std::chrono::steady_clock::now() - found->second <= ttl_;
    }
    template <typename Ask>
    void refresh(const std::string& key, Ask ask) {
        ask();
        const std::lock_guard lock(mutex_);
        collected_at_[key] = std::chrono::steady_clock::now();
    }

    Duration ttl_;
    GoPlan plan_;
    std::mutex mutex_;
    std::map<std::string, TimePoint> collected_at_;
};

Seen read_go_plan(const WrittenPrometheus& prometheus, const Schedule& schedule,
                  Duration fetch_interval, TimePoint first) {
    Seen seen;
    const Duration interval = fetch_interval / schedule.shortened_by;
    const TimePoint end = first + schedule.reads * schedule.between_reads;
    GoCollector collector(prometheus.port(), ttl / schedule.shortened_by);
    GoPlan in_background(prometheus.port());
    const std::vector<VariantAutoscaling> variants = variants_of(schedule);
    std::thread background([&] {
        // The period begins when the last tick has ended. Variants that were never read are not
        // tracked.
        for (TimePoint tick = first + interval; interval > 0s && tick < end;
             tick = std::chrono::steady_clock::now() + interval) {
            std::this_thread::sleep_until(tick);
            for (const VariantAutoscaling& variant : variants)
                collector.fetch(in_background, variant);
        }
    });
    const auto read = [&] {
        for (const VariantAutoscaling& variant : variants)
            seen.hits += collector.read(variant);
        seen.lookups += 2 * variants.size();
    };
    reconcile(
        seen, schedule, first, [](TimePoint time) { std::this_thread::sleep_until(time); }, read);
    background.join();
    seen.queries = collector.queries() + in_background.queries();
    return seen;
}

void report(const std::string& work, const Seen& by_name, const Seen& by_handle,
            const Seen& theirs) {
    const char* who = "the Go original's plan, replayed";
    const auto row = [&](const std::string& what, const char* unit, Better better, const Seen& ours,
                         auto value, double target = 0) {
        const Row line(path, work + ": " + what, unit, better);
        line.ours(value(ours));
        line.peer(who, value(theirs), target);
    };
    row("first read", "ms", Better::less, by_name,
        [](const Seen& seen) { return seen.read_seconds.front() * 1e3; });
    for (const double part : {0.5, 0.99}) {
        const auto percentile = [part](const Seen& seen) { return seen.percentile(part) * 1e3; };
        const std::string name = part == 0.5 ? "p50 of the others" : "p99 of the others";
        row(name, "ms", Better::less, by_name, percentile, 1);
        row(name + ", by handle", "ms", Better::less, by_handle, percentile, 2);
    }
    row("queries", "1/min", Better::less, by_name,
        [](const Seen& seen) { return static_cast<double>(seen.queries) * 60 / seen.seconds; });
    row("hit rate", "%", Better::more, by_name, [](const Seen& seen) {
        return 100 * static_cast<double>(seen.hits) / static_cast<double>(seen.lookups);
    });
}

constexpr Help help{
    "How long a reconcile loop waits for its metrics, with and without background fetching,\n"
    "compared with a replay of the Go original's plan. Set WVA_METRICS_PROMETHEUS to the path of "
    "a\n"
    "Prometheus."};

} // namespace

int main(int count, char** arguments) {
    const Options options = parse_options(count, arguments, help);
    const auto binary = find_prometheus();
    if (!binary) {
        say_prometheus_is_missing(path);
        return 0;
    }
    const Schedule schedule = options.pick<Schedule>(
        {100, 60, 1s, 1, "100 variants"}, {100, 20, 500ms, 6, "100 variants, times a sixth"},
        {5, 2, 200ms, 30, "5 variants, times a thirtieth"});
    const WrittenPrometheus prometheus(*binary, WrittenFleet{schedule.variants});

    struct Setting {
        const char* in_words;
        Duration fetch_interval;
        Seen by_name{};
        Seen by_handle{};
        Seen theirs{};
    };
    std::vector<Setting> settings = {{"fetch none", 0s}, {"fetch 15 s", 15s}, {"fetch 30 s", 30s}};
    const double counted_before = prometheus.query_count();
    std::vector<std::thread> threads;
    TimePoint first = std::chrono::steady_clock::now() + 100ms;
    const Duration apart = schedule.between_reads / static_cast<int>(3 * settings.size());
    for (Setting& setting : settings) {
        for (const Road road : {Road::by_name, Road::by_handle}) {
            threads.emplace_back([&, first, road] {
                (road == Road::by_name ? setting.by_name : setting.by_handle) =
                    read_collector(prometheus, schedule, setting.fetch_interval, road, first);
            });
            first += apart;
        }
        threads.emplace_back([&, first] {
            setting.theirs = read_go_plan(prometheus, schedule, setting.fetch_interval, first);
        });
        first += apart;
    }
    for (std::thread& thread : threads)
        thread.join();

    double counted = 0;
    for (const Setting& setting : settings) {
        counted += static_cast<double>(setting.by_name.queries + setting.by_handle.queries +
                                       setting.theirs.queries);
        report(std::string(schedule.in_words) + ", " + setting.in_words, setting.by_name,
               setting.by_handle, setting.theirs);
    }
    require(prometheus.query_count() - counted_before <= counted,
            "Prometheus counted more queries");
}
