// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wva_metrics {

/// What is asked about a model's servers, whatever their engine calls it.
enum class Signal : std::uint8_t {
    /// That the model's servers report at all, and when they last did.
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

/// All of them, in the order of the enumeration.
inline constexpr std::array all_signals = {
    Signal::running, Signal::arrival_rate, Signal::input_tokens,   Signal::output_tokens,
    Signal::ttft,    Signal::itl,          Signal::kv_cache_usage, Signal::queue_length};

/// The enumerator's name.
constexpr std::string_view to_string(Signal signal) noexcept {
    switch (signal) {
    case Signal::running:
        return "running";
    case Signal::arrival_rate:
        return "arrival_rate";
    case Signal::input_tokens:
        return "input_tokens";
    case Signal::output_tokens:
        return "output_tokens";
    case Signal::ttft:
        return "ttft";
    case Signal::itl:
        return "itl";
    case Signal::kv_cache_usage:
        return "kv_cache_usage";
    case Signal::queue_length:
        return "queue_length";
    }
    return "unknown";
}

/// How a signal's number comes out of the metric that carries it.
enum class Computation : std::uint8_t {
    /// Only when the metric was last sampled; per model.
    presence,
    /// Increase of a counter per second, over the rate window; per pod.
    counter_rate,
    /// Increase of a histogram's `_sum` by that of its `_count`, over the rate window; per pod. The
    /// metric is named
    /// without these endings.
    average,
    /// Highest value of a gauge in the peak window; per engine of each pod.
    gauge_peak,
};

/// How the signal is computed from its metric.
constexpr Computation computation_of(Signal signal) noexcept {
    switch (signal) {
    case Signal::running:
        return Computation::presence;
    case Signal::arrival_rate:
        return Computation::counter_rate;
    case Signal::input_tokens:
    case Signal::output_tokens:
    case Signal::ttft:
    case Signal::itl:
        return Computation::average;
    case Signal::kv_cache_usage:
    case Signal::queue_length:
        return Computation::gauge_peak;
    }
    return Computation::presence;
}

} // namespace wva_metrics
