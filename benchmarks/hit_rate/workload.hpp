// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <istream>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unordered_map>
#include <vector>

namespace hit_rate {

using Seconds = std::chrono::duration<double>;

/// One look-up of a variant.
struct LookUp {
    /// Time since the beginning.
    Seconds at;
    /// Index in the workload's names.
    std::size_t variant;
};

/// The look-ups of a simulation.
struct Workload {
    std::vector<std::string> names;
    /// Sorted by time.
    std::vector<LookUp> lookups;
    Seconds length{};
};

/// A simulated autoscaler.
struct Reconciling {
    /// Time between two look-ups of the same variant, with a jitter of +-10 %.
    Seconds interval{30};
    /// Number of variants at any moment.
    std::size_t variants = 100;
    /// The fraction of the variants that is replaced by new ones per hour: 1 is all.
    double churn_per_hour = 0;
};

/// Returns the same workload for the same arguments, on every run.
inline Workload make_workload(const Reconciling& reconciling, Seconds length) {
    Workload workload{{}, {}, length};
    std::mt19937 random(42);
    std::uniform_real_distribution<double> part(0.0, 1.0);
    const auto lifetime = [&] {
        if (reconciling.churn_per_hour <= 0)
            return Seconds(std::numeric_limits<double>::infinity());
        return Seconds(
            std::exponential_distribution<double>(reconciling.churn_per_hour / 3600)(random));
    };
    const auto new_variant = [&] {
        workload.names.push_back("variant-" + std::to_string(workload.names.size()));
        return workload.names.size() - 1;
    };
    for (std::size_t i = 0; i < reconciling.variants; ++i) {
        std::size_t variant = new_variant();
        Seconds dies = lifetime();
        Seconds next = reconciling.interval * part(random);
        for (; next < length; next += reconciling.interval * (0.9 + 0.2 * part(random))) {
            while (next >= dies) {
                variant = new_variant();
                dies += lifetime();
            }
            workload.lookups.push_back({next, variant});
        }
    }
    std::ranges::stable_sort(workload.lookups, {}, &LookUp::at);
    return workload;
}

/// Reads the output of a `TraceObserver`: lines of `<seconds>,<key>` in any order; the first one
/// may be a heading. Throws `std::runtime_error` with the number of the line if a line is not
/// valid.
inline Workload read_trace(std::istream& input) {
    Workload workload;
    std::unordered_map<std::string, std::size_t> known;
    std::string line;
    for (int number = 1; std::getline(input, line); ++number) {
        if (line.ends_with('\r'))
            line.pop_back();
        if (line.empty())
            continue;
        const std::size_t comma = line.find(',');
        double seconds = 0;
        const char* begin = line.data();
        const char* end = begin + std::min(comma, line.size());
        const auto [stop, error] = std::from_chars(begin, end, seconds);
        const bool is_number =
            error == std::errc() && stop == end && seconds >= 0 && seconds <= 1e9;
        if (comma == std::string::npos || comma + 1 == line.size() || !(is_number || number == 1))
            throw std::runtime_error("line " + std::to_string(number) +
                                     " is not a number of seconds, a comma and a key: " + line);
        if (!is_number)
            continue;
        const auto [found, is_new] =
            known.try_emplace(line.substr(comma + 1), workload.names.size());
        if (is_new)
            workload.names.push_back(found->first);
        workload.lookups.push_back({Seconds(seconds), found->second});
        workload.length = std::max(workload.length, Seconds(seconds));
    }
    if (workload.lookups.empty())
        throw std::runtime_error("the trace contains no look-ups");
    std::ranges::stable_sort(workload.lookups, {}, &LookUp::at);
    return workload;
}

} // namespace hit_rate
