// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// A reading that is taken only if the configuration of the backend chooses it. Each is one of
/// every replica; the quantiles and `requests_in_window` are also of every variant, of all its
/// pods.
enum class OptionalReading : std::uint8_t {
    kv_capacity_tokens,           ///< Size of the KV cache, in tokens; of all engines of the pod.
    prefix_cache_hit_rate,        ///< Fraction of the prompt tokens that were cached, 0..1.
    avg_ttft_seconds,             ///< Time to first token, seconds per request.
    avg_itl_seconds,              ///< Inter-token latency, seconds per token.
    generation_tokens_per_second, ///< Generated tokens per second.
    requests_per_second,          ///< Finished requests per second.
    running_requests,             ///< Requests being processed.
    ttft_p50_seconds,             ///< Time to first token: the median.
    ttft_p90_seconds,             ///< Time to first token: the 90th percentile.
    ttft_p99_seconds,             ///< Time to first token: the 99th percentile.
    itl_p50_seconds,              ///< Inter-token latency: the median.
    itl_p90_seconds,              ///< Inter-token latency: the 90th percentile.
    itl_p99_seconds,              ///< Inter-token latency: the 99th percentile.
    queue_time_p50_seconds,       ///< Time in the queue: the median.
    queue_time_p90_seconds,       ///< Time in the queue: the 90th percentile.
    queue_time_p99_seconds,       ///< Time in the queue: the 99th percentile.
    e2e_latency_p50_seconds,      ///< Time of a whole request: the median.
    e2e_latency_p90_seconds,      ///< Time of a whole request: the 90th percentile.
    e2e_latency_p99_seconds,      ///< Time of a whole request: the 99th percentile.
    /// Requests that finished in the rate window, for scaling to zero: never fewer than there were,
    /// and with any doubt missing and not 0. Requests that have not finished do not count.
    requests_in_window,
};

/// What is known of an optional reading at compile time.
struct OptionalReadingInfo {
    OptionalReading reading; ///< The reading.
    std::string_view name;   ///< The enumerator's name.
    Signal signal;           ///< The signal that it is computed from.
    double quantile = 0;     ///< The wanted quantile of the signal's histogram; 0 if it is none.
};

/// All optional readings, in the order of the enumeration.
inline constexpr std::array optional_readings = {
    OptionalReadingInfo{OptionalReading::kv_capacity_tokens, "kv_capacity_tokens",
                        Signal::kv_capacity},
    OptionalReadingInfo{OptionalReading::prefix_cache_hit_rate, "prefix_cache_hit_rate",
                        Signal::prefix_cache_hit_rate},
    OptionalReadingInfo{OptionalReading::avg_ttft_seconds, "avg_ttft_seconds", Signal::ttft},
    OptionalReadingInfo{OptionalReading::avg_itl_seconds, "avg_itl_seconds", Signal::itl},
    OptionalReadingInfo{OptionalReading::generation_tokens_per_second,
                        "generation_tokens_per_second", Signal::generation_rate},
    OptionalReadingInfo{OptionalReading::requests_per_second, "requests_per_second",
                        Signal::arrival_rate},
    OptionalReadingInfo{OptionalReading::running_requests, "running_requests",
                        Signal::running_requests},
    OptionalReadingInfo{OptionalReading::ttft_p50_seconds, "ttft_p50_seconds", Signal::ttft, 0.5},
    OptionalReadingInfo{OptionalReading::ttft_p90_seconds, "ttft_p90_seconds", Signal::ttft, 0.9},
    OptionalReadingInfo{OptionalReading::ttft_p99_seconds, "ttft_p99_seconds", Signal::ttft, 0.99},
    OptionalReadingInfo{OptionalReading::itl_p50_seconds, "itl_p50_seconds", Signal::itl, 0.5},
    OptionalReadingInfo{OptionalReading::itl_p90_seconds, "itl_p90_seconds", Signal::itl, 0.9},
    OptionalReadingInfo{OptionalReading::itl_p99_seconds, "itl_p99_seconds", Signal::itl, 0.99},
    OptionalReadingInfo{OptionalReading::queue_time_p50_seconds, "queue_time_p50_seconds",
                        Signal::queue_time, 0.5},
    OptionalReadingInfo{OptionalReading::queue_time_p90_seconds, "queue_time_p90_seconds",
                        Signal::queue_time, 0.9},
    OptionalReadingInfo{OptionalReading::queue_time_p99_seconds, "queue_time_p99_seconds",
                        Signal::queue_time, 0.99},
    OptionalReadingInfo{OptionalReading::e2e_latency_p50_seconds, "e2e_latency_p50_seconds",
                        Signal::e2e_latency, 0.5},
    OptionalReadingInfo{OptionalReading::e2e_latency_p90_seconds, "e2e_latency_p90_seconds",
                        Signal::e2e_latency, 0.9},
    OptionalReadingInfo{OptionalReading::e2e_latency_p99_seconds, "e2e_latency_p99_seconds",
                        Signal::e2e_latency, 0.99},
    OptionalReadingInfo{OptionalReading::requests_in_window, "requests_in_window",
                        Signal::arrival_rate},
};

namespace detail {

static_assert([] {
    for (std::size_t i = 0; i < optional_readings.size(); ++i)
        if (static_cast<std::size_t>(optional_readings[i].reading) != i)
            return false;
    return true;
}());

} // namespace detail

/// A reading's row of `optional_readings`.
constexpr const OptionalReadingInfo& info_of(OptionalReading reading) noexcept {
    return optional_readings[static_cast<std::size_t>(reading)];
}

/// The enumerator's name.
constexpr std::string_view to_string(OptionalReading reading) noexcept {
    return static_cast<std::size_t>(reading) < optional_readings.size() ? info_of(reading).name
                                                                        : "unknown";
}

/// Which optional readings are chosen; by default none.
class OptionalReadingSet {
public:
    /// None.
    constexpr OptionalReadingSet() noexcept = default;
    /// These.
    constexpr OptionalReadingSet(std::initializer_list<OptionalReading> chosen) noexcept {
        for (const OptionalReading reading : chosen)
            insert(reading);
    }
    /// Every one that there is.
    static constexpr OptionalReadingSet all() noexcept {
        OptionalReadingSet set;
        for (const OptionalReadingInfo& info : optional_readings)
            set.insert(info.reading);
        return set;
    }

    /// Chooses one more.
    constexpr void insert(OptionalReading reading) noexcept { bits_ |= bit(reading); }
    /// True if it is chosen.
    constexpr bool contains(OptionalReading reading) const noexcept {
        return (bits_ & bit(reading)) != 0;
    }
    /// True if none is chosen.
    constexpr bool empty() const noexcept { return bits_ == 0; }
    /// How many are chosen.
    constexpr std::size_t size() const noexcept {
        return static_cast<std::size_t>(std::popcount(bits_));
    }
    /// True if a chosen reading needs this signal, other than its histogram.
    constexpr bool needs(Signal signal) const noexcept { return needs(signal, false); }
    /// True if a chosen reading is a quantile of this signal's histogram.
    constexpr bool needs_histogram(Signal signal) const noexcept { return needs(signal, true); }

    friend constexpr bool operator==(OptionalReadingSet, OptionalReadingSet) noexcept = default;

private:
    static constexpr std::uint32_t bit(OptionalReading reading) noexcept {
        return std::uint32_t{1} << static_cast<unsigned>(reading);
    }
    constexpr bool needs(Signal signal, bool histogram) const noexcept {
        for (const OptionalReadingInfo& info : optional_readings)
            if (info.signal == signal && (info.quantile > 0) == histogram && contains(info.reading))
                return true;
        return false;
    }

    static_assert(optional_readings.size() <= 32, "a reading is a bit of the set");
    std::uint32_t bits_ = 0;
};

/// The optional readings of one replica or variant: those that were chosen, with or without a
/// value. Empty, and without an allocation, if none was.
///
/// **Threads:** a plain value type.
class OptionalReadings {
public:
    /// One of them.
    struct Entry {
        OptionalReading which;     ///< Which one.
        Reading<double> reading{}; ///< What was measured.
    };

    /// True if none was chosen.
    bool empty() const noexcept { return entries_.empty(); }
    /// In the order of the enumeration, each once.
    const std::vector<Entry>& entries() const noexcept { return entries_; }

    /// The reading; one that was not chosen is missing, because it is `not_collected`.
    Reading<double> find(OptionalReading which) const noexcept {
        const Reading<double>* const found = get(which);
        return found == nullptr ? Reading<double>() : *found;
    }
    /// The same, or null for one that was not chosen. It lives until the next `set`.
    const Reading<double>* get(OptionalReading which) const noexcept {
        const auto at = std::ranges::lower_bound(entries_, which, {}, &Entry::which);
        return at == entries_.end() || at->which != which ? nullptr : &at->reading;
    }

    /// Allocates for so many at once.
    void reserve(std::size_t count) { entries_.reserve(count); }

    /// Sets a reading, in place of one that is there.
    void set(OptionalReading which, const Reading<double>& reading) {
        const auto at = std::ranges::lower_bound(entries_, which, {}, &Entry::which);
        if (at != entries_.end() && at->which == which)
            at->reading = reading;
        else
            entries_.insert(at, Entry{which, reading});
    }

private:
    std::vector<Entry> entries_;
};

} // namespace wva_metrics
