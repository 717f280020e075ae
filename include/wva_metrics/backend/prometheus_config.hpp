// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/promql/matcher.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/promql/query_windows.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// How to query Prometheus (or Thanos, Mimir, VictoriaMetrics). Plain values; check them with
/// `validate`.
struct PrometheusConfig {
    /// The connection: URL, timeouts, credentials, TLS, headers, limits.
    prometheus::ClientConfig client{};
    /// The make of the server, which decides how it is queried. `unknown` = it is learned from the
    /// server.
    prometheus::Flavor flavor = prometheus::Flavor::unknown;
    /// The metrics and labels of the inference servers.
    EngineProfile engine = vllm_profile();
    /// What is measured besides the readings that are always there. Each has a cost: further
    /// series, and for a quantile all buckets of its histogram. None by default.
    OptionalReadingSet optional_readings{};
    /// Conditions on all series of the inference servers, e.g. `cluster="eu"` if one store holds
    /// the series of several clusters. `promql::parse_matchers` reads them from a text.
    std::vector<promql::Matcher> matchers{};
    /// The same for the series of kube-state-metrics, whose labels may differ.
    std::vector<promql::Matcher> kube_state_matchers{};
    /// How far the queries look back.
    promql::QueryWindows windows{};
    /// How large one query may become.
    promql::PlanLimits limits{};
    /// Query kube-state-metrics, through the same Prometheus, for existing pods and their owners.
    /// Without it, deleted pods count until their values have left the window, and owners are
    /// derived from the pods' names.
    bool use_kube_state = true;
    /// Averages over fewer requests than this in the rate window are missing. The default is below
    /// one, because a rate is extrapolated, and a single request may count as a fraction of one.
    double min_requests = 0.5;
    /// A model is available if its last sample is not older than this. At most 1 h.
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

namespace detail {

/// The problems of `matchers`.
inline std::vector<std::string> matcher_problems(const PrometheusConfig& config) {
    const EngineLabels& labels = config.engine.labels;
    const std::array<promql::ReservedLabel, 3> reserved = {{
        {labels.namespace_name, "the targets select the namespace"},
        {labels.model, "the targets select the model"},
        {labels.pod, "all pods of a model count"},
    }};
    return promql::validate(config.matchers, reserved);
}

/// The problems of `kube_state_matchers`.
inline std::vector<std::string> kube_state_matcher_problems(const PrometheusConfig& config) {
    const KubeStateNames& names = config.engine.kube_state;
    constexpr std::string_view not_everywhere = "some metrics of kube-state-metrics lack it";
    const std::array<promql::ReservedLabel, 5> reserved = {{
        {names.namespace_name, "the targets select the namespace"},
        {names.pod, "all pods of a namespace are needed"},
        {names.owner_kind, not_everywhere},
        {names.owner_name, not_everywhere},
        {"condition", not_everywhere},
    }};
    return promql::validate(config.kube_state_matchers, reserved);
}

/// A target is only queried if its names and the matchers fit into one query.
inline bool leave_space(std::span<const promql::Matcher> matchers,
                        const promql::PlanLimits& limits) {
    return promql::to_string(matchers).size() <= limits.max_query_bytes / 2;
}

} // namespace detail

/// All problems of a configuration, one sentence each, without secrets; empty if it is valid.
inline std::vector<std::string> validate(const PrometheusConfig& config) {
    std::vector<std::string> problems;
    const auto append = [&](const char* where, const std::vector<std::string>& more) {
        for (const std::string& problem : more)
            problems.push_back(where + problem);
    };
    append("client.", validate(config.client));
    append("engine.", validate(config.engine));
    if (config.engine.labels.model.empty())
        problems.emplace_back(
            "engine.labels.model must not be empty: Prometheus is asked by model, "
            "and this server does not name it; let the scrape add a label with "
            "the model's id, e.g. by relabelings, and set its name here");
    append("matchers: ", detail::matcher_problems(config));
    append("kube_state_matchers: ", detail::kube_state_matcher_problems(config));
    append("", promql::validate(config.windows));
    append("", promql::validate(config.limits));
    if (!detail::leave_space(config.matchers, config.limits))
        problems.emplace_back("matchers must not be longer than half of limits.max_query_bytes");
    if (!detail::leave_space(config.kube_state_matchers, config.limits))
        problems.emplace_back(
            "kube_state_matchers must not be longer than half of limits.max_query_bytes");
    if (!(config.min_requests >= 0) || std::isinf(config.min_requests))
        problems.emplace_back("min_requests must be finite and not negative");
    if (config.stale_after <= Duration::zero())
        problems.emplace_back("stale_after must be positive");
    if (config.stale_after > std::chrono::hours(1))
        problems.emplace_back("stale_after must be at most 1h, because every sample within it is "
                              "fetched; windows.stale_lookback may be longer");
    if (config.batch_timeout <= Duration::zero())
        problems.emplace_back("batch_timeout must be positive");
    return problems;
}

} // namespace wva_metrics
