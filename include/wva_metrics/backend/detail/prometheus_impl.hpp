// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/known_workloads.hpp"
#include "wva_metrics/backend/detail/explanations.hpp"
#include "wva_metrics/backend/detail/kube_state_form.hpp"
#include "wva_metrics/backend/detail/open_rounds.hpp"
#include "wva_metrics/backend/detail/replica_flavors.hpp"
#include "wva_metrics/backend/detail/sample_window.hpp"
#include "wva_metrics/backend/detail/seen_density.hpp"
#include "wva_metrics/backend/detail/seen_pods.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/backend/detail/size_memory.hpp"
#include "wva_metrics/backend/detail/undecided_pods.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/lasting_flag.hpp"
#include "wva_metrics/prometheus/client.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/resilience/protection_listeners.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/sample_rules.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace wva_metrics::detail {

template <typename Executor>
class FleetRound;

/// The rules that a configuration asks for. A configured label of pods counts before all others.
inline samples::SampleRules rules_of(const PrometheusConfig& config) {
    samples::SampleRules rules;
    rules.window = std::chrono::ceil<samples::ServerDuration>(config.windows.rate);
    rules.peak = std::chrono::ceil<samples::ServerDuration>(config.windows.peak);
    const std::string& pod = config.engine.labels.pod;
    if (std::find(rules.pod.begin(), rules.pod.end(), pod) == rules.pod.end())
        rules.pod.insert(rules.pod.begin(), pod);
    return rules;
}

/// The configuration of a client that also tells these listeners of its events.
inline prometheus::ClientConfig
with_listeners(prometheus::ClientConfig client,
               std::shared_ptr<const resilience::ProtectionListeners> listeners) {
    resilience::ProtectionListener& on_event = client.http.protection.on_event;
    on_event = [own = std::move(on_event),
                listeners = std::move(listeners)](const resilience::ProtectionEvent& event) {
        listeners->tell(event);
        if (own)
            own(event);
    };
    return client;
}

/// The state shared by the copies of a Prometheus backend and their pending calls. Its constructor
/// throws if the configuration is invalid.
template <typename Executor>
struct PrometheusImpl {
    PrometheusImpl(const Executor& executor, PrometheusConfig configuration)
        : config(checked(std::move(configuration), "Prometheus backend")),
          client(executor, with_listeners(config.client, protection_listeners)),
          rules(rules_of(config)), metrics(config.engine, config.optional_readings),
          names(config.engine), queries(config.engine, config.matchers, config.optional_readings),
          window(rules), seen({.retention = config.windows.pod_retention}),
          kube_state(config.engine.kube_state, config.kube_state_matchers),
          flavors(config.flavor, config.client.replicas.size() + 1) {}

    /// Plans queries for these models, with chunks whose answers are expected to stay within the
    /// client's bounds.
    std::shared_ptr<const promql::QueryPlan> plan(std::span<const ModelKey> models) const {
        const promql::AnswerBounds bounds{config.client.answer.max_series,
                                          config.client.http.limits.max_body_bytes};
        return std::make_shared<const promql::QueryPlan>(models, queries,
                                                         kube_state.current().queries,
                                                         config.limits, density.highest(), bounds);
    }

    /// The make of the server that is asked at the moment.
    prometheus::Flavor flavor() const { return flavors.current(client.current_replica()); }

    const PrometheusConfig config;
    const std::shared_ptr<resilience::ProtectionListeners> protection_listeners =
        std::make_shared<resilience::ProtectionListeners>();
    prometheus::BasicClient<Executor> client;
    const samples::SampleRules rules;
    const samples::MetricSet metrics;
    const SignalMetrics names;
    const promql::RawQueries queries;

    /// The namespaces hold many more models than are requested, so queries must name the models.
    LastingFlag select_by_model;
    SizeMemory sizes;
    SeenDensity density;
    SampleWindow window;
    UndecidedPods undecided;
    SeenPods seen;
    KnownWorkloads workloads;
    Explanations explanations;
    KubeStateForm kube_state;
    ReplicaFlavors flavors;
    OpenRounds<FleetRound<Executor>> rounds;
};

} // namespace wva_metrics::detail
