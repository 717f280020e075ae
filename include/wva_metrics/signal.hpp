// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

// How to add a metric, in three places:
// 1. signal.hpp (here): an enumerator of `Signal`, and its row in `signals`.
// 2. engine/: a member of `EngineProfile` with its row in `signal_metrics`, one of `EngineTable` with
//    its row in `table_columns`, and its names in `engine_tables.hpp`.
// 3. metrics.hpp: a reading in `OptimizerMetrics` (rates and averages, per variant), or one in
//    `ReplicaSample` and one in `ReplicaMetrics` (gauges, per pod); and its row in
//    `optimizer_readings` or `replica_readings`.
//
// A metric that not everybody needs is an optional signal: 3. is then a row of `optional_readings`
// (optional_reading.hpp) that is computed from it.
//
// Queries, answers, the cache and the JSON settings follow these tables. The compiler or a test
// reports a row that is missing.

namespace wva_metrics {

/// A quantity that is measured on a model's servers. Its metric's name depends on the engine.
enum class Signal : std::uint8_t {
    /// Shows that the model's servers report at all, and when they last did.
    running,
    /// Finished requests per second.
    arrival_rate,
    /// Prompt tokens per finished request.
    input_tokens,
    /// Generated tokens per finished request.
    output_tokens,
    /// Time to first token, seconds per request.
    ttft,
    /// Inter-token latency, seconds per token.
    itl,
    /// Fraction of the KV cache in use, 0..1.
    kv_cache_usage,
    /// Requests waiting.
    queue_length,

    // From here on, signals that are measured only if an optional reading of them is chosen.

    /// Size of the KV cache, in tokens.
    kv_capacity,
    /// Fraction of the prompt tokens that the prefix cache had, 0..1.
    prefix_cache_hit_rate,
    /// Generated tokens per second.
    generation_rate,
    /// Requests being processed, exactly those: `running` may name any metric that is always there.
    running_requests,
    /// Time in the queue, seconds per request.
    queue_time,
    /// Time from the arrival of a request to its last token, seconds per request.
    e2e_latency,
};

/// How a signal's value is computed from its metric.
enum class Computation : std::uint8_t {
    /// Only the time of the metric's last sample; per model.
    presence,
    /// Increase of a counter per second, over the rate window; per pod.
    counter_rate,
    /// Increase of a histogram's `_sum` divided by the increase of its `_count`, over the rate
    /// window; per pod. The metric is named without these endings.
    average,
    /// Highest value of a gauge in the peak window; per engine of each pod.
    gauge_peak,
    /// Last sample of a gauge; per engine of each pod.
    gauge_last,
    /// Increase of the buckets of a classic histogram, over the rate window; per pod. The metric is
    /// named without `_bucket`.
    histogram,
};

/// How the values of several engines in one pod become the pod's value.
enum class AcrossEngines : std::uint8_t {
    /// The highest of the engines' values: the fullest engine limits the pod.
    highest,
    /// The sum of the engines' values.
    sum,
};

/// What is known of a signal at compile time.
struct SignalInfo {
    Signal signal; ///< The signal.
    /// The enumerator's name. `EngineProfile` and the JSON settings use the same name.
    std::string_view name;
    Computation computation;      ///< From its metric.
    AcrossEngines across_engines; ///< From several engines in one pod.
    /// Kind and meaning of the signal's metrics, for people.
    std::string_view description;
    /// A gauge above it cannot be true. None is negative.
    double highest = std::numeric_limits<double>::infinity();
};

/// All signals, in the order of the enumeration.
inline constexpr std::array signals = {
    SignalInfo{Signal::running, "running", Computation::presence, AcrossEngines::sum,
               "Gauges: running requests. Used only to see when the model last reported."},
    SignalInfo{Signal::arrival_rate, "arrival_rate", Computation::counter_rate, AcrossEngines::sum,
               "Counters: finished requests."},
    SignalInfo{Signal::input_tokens, "input_tokens", Computation::average, AcrossEngines::sum,
               "Histograms: prompt tokens per request."},
    SignalInfo{Signal::output_tokens, "output_tokens", Computation::average, AcrossEngines::sum,
               "Histograms: generated tokens per request."},
    SignalInfo{Signal::ttft, "ttft", Computation::average, AcrossEngines::sum,
               "Histograms: time to first token, in seconds."},
    SignalInfo{Signal::itl, "itl", Computation::average, AcrossEngines::sum,
               "Histograms: time between tokens, in seconds."},
    SignalInfo{Signal::kv_cache_usage, "kv_cache_usage", Computation::gauge_peak,
               AcrossEngines::highest, "Gauges: KV cache in use, 0 to 1.", 1},
    SignalInfo{Signal::queue_length, "queue_length", Computation::gauge_peak, AcrossEngines::sum,
               "Gauges: waiting requests."},
    SignalInfo{Signal::kv_capacity, "kv_capacity", Computation::gauge_last, AcrossEngines::sum,
               "Gauges: size of the KV cache in tokens. Optional."},
    SignalInfo{Signal::prefix_cache_hit_rate, "prefix_cache_hit_rate", Computation::average,
               AcrossEngines::sum,
               "Quotients of counters: tokens found in the prefix cache / tokens looked for. "
               "Optional."},
    SignalInfo{Signal::generation_rate, "generation_rate", Computation::counter_rate,
               AcrossEngines::sum, "Counters: generated tokens. Optional."},
    SignalInfo{Signal::running_requests, "running_requests", Computation::gauge_last,
               AcrossEngines::sum, "Gauges: requests being processed. Optional."},
    SignalInfo{Signal::queue_time, "queue_time", Computation::histogram, AcrossEngines::sum,
               "Histograms: time in the queue, in seconds. Optional."},
    SignalInfo{Signal::e2e_latency, "e2e_latency", Computation::histogram, AcrossEngines::sum,
               "Histograms: time of a whole request, in seconds. Optional."},
};

namespace detail {

constexpr std::size_t index_of(Signal signal) noexcept {
    return static_cast<std::size_t>(signal);
}

/// True if row i of a table is that of signal i, so that the table can be indexed by signal.
template <typename Row, std::size_t Size>
constexpr bool is_in_signal_order(const std::array<Row, Size>& rows) noexcept {
    for (std::size_t i = 0; i < Size; ++i)
        if (index_of(rows[i].signal) != i)
            return false;
    return true;
}

} // namespace detail

static_assert(detail::is_in_signal_order(signals));

/// True for a signal that is measured only if an optional reading of it is chosen.
constexpr bool is_optional(Signal signal) noexcept {
    return signal >= Signal::kv_capacity;
}

/// The signals that are always measured, in the order of the enumeration: all but the optional
/// ones.
inline constexpr auto all_signals = [] {
    std::array<Signal, detail::index_of(Signal::kv_capacity)> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = signals[i].signal;
    return all;
}();

/// A signal's row of `signals`.
constexpr const SignalInfo& info_of(Signal signal) noexcept {
    return signals[detail::index_of(signal)];
}

/// The enumerator's name.
constexpr std::string_view to_string(Signal signal) noexcept {
    return detail::index_of(signal) < signals.size() ? info_of(signal).name : "unknown";
}

/// How the signal is computed from its metric.
constexpr Computation computation_of(Signal signal) noexcept {
    return info_of(signal).computation;
}

/// True if it is computed from how much a counter or a histogram grew; false for a gauge.
constexpr bool is_growth(Computation computation) noexcept {
    return computation == Computation::counter_rate || computation == Computation::average ||
           computation == Computation::histogram;
}

} // namespace wva_metrics
