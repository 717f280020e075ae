// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/config.hpp"
#include "wva_metrics/format_duration.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// What a valid configuration does differently from what its members say, because one of them
/// overrides or defeats another. One sentence each, with the members' names and what to change.
///
/// `validate` lets such a configuration pass, because it harms nobody who knows. `LogObserver`
/// writes these sentences as warnings whenever a collector is made or reconfigured.
inline std::vector<std::string> warnings(const CollectorConfig& config) {
    std::vector<std::string> found;
    const auto time = [](std::string_view name, Duration value) {
        return std::string(name) + " (" + format_duration(value) + ")";
    };
    const auto number = [](std::string_view name, std::size_t value) {
        return std::string(name) + " (" + std::to_string(value) + ")";
    };
    constexpr Duration off = Duration::zero();
    const CacheConfig& cache = config.cache;
    const std::string fetch_interval = time("cache.fetch_interval", cache.fetch_interval);
    const std::string ttl = time("cache.ttl", cache.ttl);
    const std::string timeout = time("call_timeout", config.call_timeout);
    const Duration interval = effective_fetch_interval(config);

    if (!cache.enabled)
        return found; // The other members of the cache do nothing.

    // The interval, and the times that it must fit.
    if (interval < cache.fetch_interval)
        found.push_back(fetch_interval + " is shortened to " + format_duration(interval) +
                        ", because with " + ttl + " and " + timeout +
                        " entries would expire between two rounds; raise cache.ttl above the sum "
                        "of the other two, or set cache.fetch_interval to what is meant");
    if (interval > off && config.call_timeout > interval)
        found.push_back(timeout + " is longer than the time between two rounds (" +
                        format_duration(interval) +
                        "), so rounds are skipped while the backend is slow; lower call_timeout, "
                        "or raise cache.fetch_interval and cache.ttl");
    if (config.untrack_after > off && config.untrack_after <= interval)
        found.push_back(time("untrack_after", config.untrack_after) +
                        " is not above the time between two rounds (" + format_duration(interval) +
                        "), so what is tracked is untracked before it is fetched again; raise it");
    const auto check_threshold = [&](std::string_view name, Duration threshold) {
        if (threshold <= interval)
            found.push_back(time(name, threshold) + " is not above the time between two rounds (" +
                            format_duration(interval) +
                            "), so metrics are stale before they are fetched again; raise it, or "
                            "lower cache.fetch_interval");
    };
    const FreshnessThresholds& thresholds = cache.freshness_thresholds;
    check_threshold("cache.freshness_thresholds.optimizer_metrics", thresholds.optimizer_metrics);
    check_threshold("cache.freshness_thresholds.replica_metrics", thresholds.replica_metrics);

    // How long answers live.
    if (cache.ttl <= config.call_timeout)
        found.push_back(ttl + " is not above " + timeout +
                        ", so an answer may have expired when it arrives; raise cache.ttl");
    if (cache.ttl >= thresholds.unavailable)
        found.push_back(ttl + " is not below " +
                        time("cache.freshness_thresholds.unavailable", thresholds.unavailable) +
                        ", so hits are served that are unavailable by their age; lower cache.ttl");
    if (cache.negative_ttl > cache.ttl)
        found.push_back(time("cache.negative_ttl", cache.negative_ttl) + " is longer than " + ttl +
                        ", so a failure is remembered longer than an answer; lower it");
    if (cache.partial_ttl > cache.ttl)
        found.push_back(time("cache.partial_ttl", cache.partial_ttl) + " is longer than " + ttl +
                        ", so a partial answer lives as long as a whole one; lower it");
    if (cache.stale_if_error > off && cache.stale_if_error <= cache.stale_while_revalidate)
        found.push_back(time("cache.stale_if_error", cache.stale_if_error) + " is not above " +
                        time("cache.stale_while_revalidate", cache.stale_while_revalidate) +
                        ", so it has no effect: entries are served that long in any case");

    // What is tracked must fit into the cache. Halves, because doubling could overflow.
    if (config.max_tracked > cache.max_entries / 2)
        found.push_back(number("cache.max_entries", cache.max_entries) + " is less than twice " +
                        number("max_tracked", config.max_tracked) +
                        ", as many variants and as many models, so entries may be evicted before "
                        "they are read; raise it, or lower max_tracked");
    if (config.max_tracked > cache.max_bytes / 2 / typical_entry_bytes)
        found.push_back(number("cache.max_bytes", cache.max_bytes) + " is less than " +
                        std::to_string(typical_entry_bytes) + " bytes for each of twice " +
                        number("max_tracked", config.max_tracked) +
                        ", as many variants and as many models, so entries may be evicted before "
                        "they are read; raise it, or lower max_tracked");
    return found;
}

} // namespace wva_metrics
