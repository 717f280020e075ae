// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// How to add a metric, in three places:
// 1. signal.hpp (here): an enumerator of `Signal`, and its row in `signals`.
// 2. engine/engine_profile.hpp: a member of `EngineProfile`, its row in `signal_metrics`, and its
//    names in `vllm_profile`.
// 3. metrics.hpp: a reading in `OptimizerMetrics` (rates and averages, per variant), or one in
//    `ReplicaSample` and one in `ReplicaMetrics` (gauges, per pod); and its row in
//    `optimizer_readings` or `replica_readings`.
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
               AcrossEngines::highest, "Gauges: KV cache in use, 0 to 1."},
    SignalInfo{Signal::queue_length, "queue_length", Computation::gauge_peak, AcrossEngines::sum,
               "Gauges: waiting requests."},
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

/// The signals alone, in the order of the enumeration.
inline constexpr auto all_signals = [] {
    std::array<Signal, signals.size()> all{};
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

} // namespace wva_metrics
