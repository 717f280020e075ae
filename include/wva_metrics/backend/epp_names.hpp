// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// What an endpoint picker (EPP) publishes and this library reads.
enum class EppMetric : std::uint8_t {
    ready_endpoints,     ///< Gauge: endpoints of the pool whose metrics are fresh.
    average_kv_cache,    ///< Gauge: mean KV cache usage of the fresh endpoints, 0..1.
    average_queue,       ///< Gauge: mean number of waiting requests.
    average_running,     ///< Gauge: mean number of running requests.
    endpoint_queue,      ///< Gauges: waiting requests of each endpoint.
    flow_queue_size,     ///< Gauges: requests that the EPP itself holds, per model and priority.
    flow_queue_bytes,    ///< Gauges: their bytes.
    pool_saturation,     ///< Gauges: saturation of the pool; 1 is the set point.
    stale_endpoints,     ///< Gauges: endpoints without fresh metrics.
    capacity_requests,   ///< Gauge: share of the EPP's request capacity in use, if it has a limit.
    capacity_bytes,      ///< Gauge: share of the EPP's byte capacity in use, if it has a limit.
    flow_requests,       ///< Counters: requests that left flow control, by outcome.
    dispatch_cycles,     ///< Histogram: it shows that flow control runs.
    scheduler_attempts,  ///< Counters: scheduling attempts, by status and endpoint.
    requests,            ///< Counters: requests of a model.
    running_requests,    ///< Gauges: requests of a model in flight.
    input_tokens,        ///< Histograms: prompt tokens per request.
    output_tokens,       ///< Histograms: generated tokens per request.
    time_to_first_token, ///< Histograms: seconds.
    inter_token_latency, ///< Histograms: seconds.
};

/// How many there are.
inline constexpr std::size_t epp_metric_count =
    static_cast<std::size_t>(EppMetric::inter_token_latency) + 1;

/// The enumerator's name.
constexpr std::string_view to_string(EppMetric metric) noexcept {
    constexpr std::array<std::string_view, epp_metric_count> names = {
        "ready_endpoints",     "average_kv_cache",   "average_queue",
        "average_running",     "endpoint_queue",     "flow_queue_size",
        "flow_queue_bytes",    "pool_saturation",    "stale_endpoints",
        "capacity_requests",   "capacity_bytes",     "flow_requests",
        "dispatch_cycles",     "scheduler_attempts", "requests",
        "running_requests",    "input_tokens",       "output_tokens",
        "time_to_first_token", "inter_token_latency"};
    const auto index = static_cast<std::size_t>(metric);
    return index < names.size() ? names[index] : "unknown";
}

/// The names of an EPP's metrics, each list in order of preference. The names have changed with the
/// project: `llm_d_epp_` since v0.10 of llm-d-router, `llm_d_router_epp_` before, and `inference_*` in
/// the gateway API inference extension. Releases in between publish an old and a new name with the
/// same numbers, so exactly one name of a list counts: the first one that the page has, also if it
/// says 0.
///
/// Histograms are named without `_sum` and `_count`.
class EppNames {
public:
    /// The known names, the newest first.
    EppNames() {
        set(EppMetric::ready_endpoints,
            {"llm_d_epp_ready_endpoints", "llm_d_router_epp_ready_endpoints",
             "inference_pool_ready_pods"});
        set(EppMetric::average_kv_cache, everywhere("average_kv_cache_utilization", "pool"));
        set(EppMetric::average_queue, everywhere("average_queue_size", "pool"));
        set(EppMetric::average_running, everywhere("average_running_requests", "pool"));
        set(EppMetric::endpoint_queue,
            {"llm_d_epp_per_endpoint_queue_size", "llm_d_router_epp_per_endpoint_queue_size",
             "inference_pool_per_pod_queue_size"});
        set(EppMetric::flow_queue_size, everywhere("flow_control_queue_size", "extension"));
        set(EppMetric::flow_queue_bytes, everywhere("flow_control_queue_bytes", "extension"));
        set(EppMetric::pool_saturation, everywhere("flow_control_pool_saturation", "extension"));
        set(EppMetric::stale_endpoints, {"llm_d_epp_flow_control_stale_endpoints",
                                         "llm_d_router_epp_flow_control_stale_endpoints"});
        set(EppMetric::capacity_requests,
            {"llm_d_epp_flow_control_global_capacity_utilization_requests",
             "llm_d_router_epp_flow_control_global_capacity_utilization_requests"});
        set(EppMetric::capacity_bytes,
            {"llm_d_epp_flow_control_global_capacity_utilization_bytes",
             "llm_d_router_epp_flow_control_global_capacity_utilization_bytes"});
        set(EppMetric::flow_requests, {"llm_d_epp_flow_control_requests_total",
                                       "llm_d_router_epp_flow_control_requests_total"});
        set(EppMetric::dispatch_cycles,
            everywhere("flow_control_dispatch_cycle_duration_seconds", "extension"));
        set(EppMetric::scheduler_attempts, everywhere("scheduler_attempts_total", "extension"));
        set(EppMetric::requests, of_requests("request_total", "request_total"));
        set(EppMetric::running_requests, of_requests("request_running", "running_requests"));
        set(EppMetric::input_tokens, of_requests("request_input_tokens", "input_tokens"));
        set(EppMetric::output_tokens, of_requests("request_output_tokens", "output_tokens"));
        set(EppMetric::time_to_first_token, everywhere("request_ttft_seconds", "objective"));
        set(EppMetric::inter_token_latency, {"llm_d_epp_request_streaming_itl_seconds",
                                             "llm_d_router_epp_request_streaming_itl_seconds"});
    }

    /// The names of a metric.
    const std::vector<std::string>& operator[](EppMetric metric) const noexcept {
        return names_[static_cast<std::size_t>(metric)];
    }
    /// The names of a metric, to be changed.
    std::vector<std::string>& operator[](EppMetric metric) noexcept {
        return names_[static_cast<std::size_t>(metric)];
    }
    /// Replaces the names of a metric.
    void set(EppMetric metric, std::vector<std::string> names) {
        names_[static_cast<std::size_t>(metric)] = std::move(names);
    }

    /// True for a name of today, which is not about to be removed.
    static bool is_current(std::string_view name) noexcept {
        return name.starts_with("llm_d_epp_");
    }

private:
    static std::vector<std::string> everywhere(const std::string& name, const std::string& old) {
        return {"llm_d_epp_" + name, "llm_d_router_epp_" + name, "inference_" + old + "_" + name};
    }
    static std::vector<std::string> of_requests(const std::string& now, const std::string& old) {
        std::vector<std::string> names = {"llm_d_epp_" + now, "llm_d_router_epp_" + now};
        if (old != now)
            names.push_back("llm_d_router_epp_" + old);
        names.push_back("inference_objective_" + old);
        names.push_back("inference_model_" + old);
        return names;
    }

    std::array<std::vector<std::string>, epp_metric_count> names_;
};

} // namespace wva_metrics
