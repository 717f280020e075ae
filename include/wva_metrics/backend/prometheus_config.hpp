// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/promql/query_windows.hpp"

#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// How to query Prometheus (or Thanos, Mimir, VictoriaMetrics). Plain values; check them with
/// `validate`.
struct PrometheusConfig {
    /// The connection: URL, timeouts, credentials, TLS, headers, limits.
    prometheus::ClientConfig client{};
    /// The metrics and labels of the inference servers.
    EngineProfile engine = vllm_profile();
    /// How far the queries look back.
    promql::QueryWindows windows{};
    /// How large one query may become.
    promql::PlanLimits limits{};
    /// Query kube-state-metrics, through the same Prometheus, for existing pods and their owners.
    /// Without it, deleted pods count until their values have left the window, and owners are
    /// derived from the pods' names.
    bool use_kube_state = true;
    /// Averages over fewer requests than this in the rate window are missing. The default is below
    /// one, because Prometheus extrapolates a single request to a fraction at the window's edges.
    double min_requests = 0.5;
    /// A model is available if its last sample is not older than this.
    Duration stale_after = std::chrono::minutes(5);
    /// Timeout of one batch of queries, including retries with smaller queries. Shorter than the
    /// collector's `call_timeout`, so that the answers received by then are not lost.
    Duration batch_timeout = std::chrono::seconds(9);
    /// A source that knows pods better than Prometheus, e.g. `kubernetes::OwnerResolver`. It takes
    /// precedence over kube-state-metrics and the pod's name for the owner of a pod and for its
    /// state (ready, terminating, gone). None by default.
    AnyPodOwners owners{};

    /// The defaults, for a Prometheus at this URL.
    static PrometheusConfig at(std::string url) {
        PrometheusConfig config;
        config.client.http.url = std::move(url);
        return config;
    }
};

/// All problems of a configuration, one sentence each, without secrets; empty if it is valid.
inline std::vector<std::string> validate(const PrometheusConfig& config) {
    std::vector<std::string> problems;
    const auto append = [&](const char* where, const std::vector<std::string>& more) {
        for (const std::string& problem : more)
            problems.push_back(where + problem);
    };
    append("client.", validate(config.client));
    append("engine.", validate(config.engine));
    append("", promql::validate(config.windows));
    append("", promql::validate(config.limits));
    if (!(config.min_requests >= 0) || std::isinf(config.min_requests))
        problems.emplace_back("min_requests must be finite and not negative");
    if (config.stale_after <= Duration::zero())
        problems.emplace_back("stale_after must be positive");
    if (config.batch_timeout <= Duration::zero())
        problems.emplace_back("batch_timeout must be positive");
    return problems;
}

} // namespace wva_metrics
