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

/// How Prometheus (or Thanos, Mimir, VictoriaMetrics) is asked. Plain values; check with
/// `validate`.
struct PrometheusConfig {
    /// Where it is and how it is reached: URL, time-outs, credentials, TLS, headers, limits.
    prometheus::ClientConfig client{};
    /// Which metrics and labels the inference servers have.
    EngineProfile engine = vllm_profile();
    /// How far back the queries look.
    promql::QueryWindows windows{};
    /// How large a question may grow.
    promql::PlanLimits limits{};
    /// Ask kube-state-metrics, through the same Prometheus, which pods exist and whose they are.
    /// Without it pods that are gone count until their values have left the window, and owners are
    /// told by the pods' names.
    bool use_kube_state = true;
    /// Averages over fewer requests than this in the rate window are missing: there is nothing to
    /// divide by. Below one, because Prometheus extrapolates a single request to a fraction at the
    /// window's edges.
    double min_requests = 0.5;
    /// The last sample may be this old for a model to count as available.
    Duration stale_after = std::chrono::minutes(5);
    /// One batch of questions, splits included. Shorter than the collector's `call_timeout`, so
    /// that what has been answered by then is not lost.
    Duration batch_timeout = std::chrono::seconds(9);
    /// Who knows the pods better than Prometheus, e.g. `kubernetes::OwnerResolver`: asked
    /// whose a pod is, and whether it is ready, terminating or gone, before kube-state-metrics and
    /// the pod's name. Nobody unless set.
    AnyPodOwners owners{};

    /// The defaults, for a Prometheus at this URL.
    static PrometheusConfig at(std::string url) {
        PrometheusConfig config;
        config.client.http.url = std::move(url);
        return config;
    }
};

/// Everything that is wrong with a configuration, one sentence each, without secrets; empty where
/// it is sound.
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
        problems.emplace_back("min_requests must be a finite number, and not negative");
    if (config.stale_after <= Duration::zero())
        problems.emplace_back("stale_after must be positive");
    if (config.batch_timeout <= Duration::zero())
        problems.emplace_back("batch_timeout must be positive");
    return problems;
}

} // namespace wva_metrics
