// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "points.hpp"
#include "sections.hpp"
#include "simulation.hpp"

#include "../support/measurement.hpp"

#include <cstdio>
#include <string>

namespace hit_rate {

inline void print_head() {
    std::printf("%9s %8s %7s %6s %10s %6s  %-8s %7s | %6s %6s %6s %8s %8s %9s %9s %9s\n",
                "reconcile", "variants", "churn/h", "TTL", "revalidate", "fetch", "cache",
                "entries", "hit", "stale", "miss", "age p50", "age p99", "req./min", "targets/m",
                "memory");
}

/// The left half of a line: the settings of the point. Those of the autoscaler are left empty if a
/// trace is replayed.
inline std::string coordinates(const Point& point, bool is_traced) {
    const wva_metrics::CacheConfig& cache = point.config.cache;
    char autoscaler[96] = "";
    if (!is_traced)
        std::snprintf(autoscaler, sizeof autoscaler, "%7g s %8zu %5g %%",
                      point.reconciling.interval.count(), point.reconciling.variants,
                      100 * point.reconciling.churn_per_hour);
    char line[256];
    std::snprintf(line, sizeof line, "%-26s %4g s %8g s %4g s  %-8s %7zu", autoscaler,
                  to_seconds(cache.ttl), to_seconds(cache.stale_while_revalidate),
                  to_seconds(cache.fetch_interval), point.cache.c_str(), cache.max_entries);
    return line;
}

inline void print(const std::string& coordinates, const Outcome& outcome) {
    std::printf("%s | %4.1f %% %4.1f %% %4.1f %% %6.1f s %6.1f s %9.1f %9.1f %5.0f KiB\n",
                coordinates.c_str(), outcome.percent(outcome.hits),
                outcome.percent(outcome.stale_hits), outcome.percent(outcome.misses),
                outcome.age(0.5).count(), outcome.age(0.99).count(),
                outcome.per_minute(outcome.requests), outcome.per_minute(outcome.targets),
                static_cast<double>(outcome.bytes) / 1024);
}

/// Compares the hit rate of a plain TTL cache with its targets, and the other strategies with it.
inline void print_rows(const Section& by_reconcile) {
    const auto row = [](const Group& group, const std::string& traffic, double low, double high) {
        const std::string work = traffic + ": reconcile " + group.heading + ", TTL 30 s";
        const Outcome& plain = group.results[0].outcome;
        const bench::Row rate("cache hit rate", work + " alone", "%", bench::Better::more);
        rate.ours(plain.percent(plain.hits));
        rate.target_at_least(low);
        rate.target_at_most(high);
        for (const Result& result : group.results) {
            if (&result == &group.results[0])
                continue;
            const Outcome& outcome = result.outcome;
            const bench::Row at_once("answered without waiting", work + ' ' + result.label, "%",
                                     bench::Better::more);
            at_once.ours(outcome.percent(outcome.hits + outcome.stale_hits));
            at_once.peer("TTL alone", plain.percent(plain.hits));
        }
    };
    for (const Group& group : by_reconcile.groups) {
        if (group.heading == "every 5 s" || group.heading == "every 10 s")
            row(group, "high traffic", 70, 90);
        if (group.heading == "every 20 s" || group.heading == "every 30 s")
            row(group, "low traffic", 30, 50);
    }
}

} // namespace hit_rate
