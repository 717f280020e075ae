// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation.hpp"
#include "workload.hpp"

#include <wva_metrics/cache/memory_cache.hpp>
#include <wva_metrics/cache/no_op_cache.hpp>
#include <wva_metrics/cache/sharded_cache.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace hit_rate {

/// The settings of one simulation: an autoscaler, a collector and a cache.
struct Point {
    Reconciling reconciling{};
    wva_metrics::CollectorConfig config{};
    /// "memory", "sharded" or "none".
    std::string cache = "memory";
};

inline Outcome simulate(const Workload& workload, const Point& point) {
    if (point.cache == "memory")
        return simulate<wva_metrics::MemoryCache>(workload, point.config);
    if (point.cache == "sharded")
        return simulate<wva_metrics::ShardedCache>(workload, point.config);
    if (point.cache == "none")
        return simulate<wva_metrics::NoOpCache>(workload, point.config);
    throw std::runtime_error("unknown cache '" + point.cache +
                             "'; available: memory, sharded, none");
}

/// Converts seconds to the duration type of a collector's configuration.
inline wva_metrics::Duration to_duration(double seconds) {
    return std::chrono::duration_cast<wva_metrics::Duration>(Seconds(seconds));
}
inline double to_seconds(wva_metrics::Duration duration) {
    return Seconds(duration).count();
}

/// Sets one setting, by the name of its option. Returns false if there is no such option. Throws
/// `std::runtime_error` if the value is not valid.
inline bool set(Point& point, std::string_view option, const std::string& text) {
    if (option == "--cache") {
        point.cache = text;
        return true;
    }
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number =
        error == std::errc() && stop == text.data() + text.size() && number >= 0 && number <= 1e9;
    const auto is = [&](std::string_view name) {
        if (option == name && !is_number)
            throw std::runtime_error(std::string(option) + ": " + text + " is not a number");
        return option == name;
    };
    wva_metrics::CacheConfig& cache = point.config.cache;
    if (is("--reconcile"))
        point.reconciling.interval = Seconds(std::max(number, 0.1));
    else if (is("--variants"))
        point.reconciling.variants = static_cast<std::size_t>(number);
    else if (is("--churn"))
        point.reconciling.churn_per_hour = number / 100;
    else if (is("--ttl"))
        cache.ttl = to_duration(number);
    else if (is("--revalidate"))
        cache.stale_while_revalidate = to_duration(number);
    else if (is("--fetch"))
        cache.fetch_interval = to_duration(number);
    else if (is("--entries"))
        cache.max_entries = static_cast<std::size_t>(number);
    else
        return false;
    return true;
}

/// The parts of a list such as "5,10,30".
inline std::vector<std::string> parts_of(std::string_view list) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        parts.emplace_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

} // namespace hit_rate
