// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/collector_fields.hpp"
#include "wva_metrics/settings/detail/engine_fields.hpp"
#include "wva_metrics/settings/detail/epp_fields.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/http_fields.hpp"
#include "wva_metrics/settings/detail/pod_fields.hpp"

#include <vector>

// These functions, and those in the other headers `*_fields.hpp`, are the only description of a
// document. Reading, writing, the environment, dumps, live changes and
// examples/configuration.md are derived from it. A field has the name of its struct member, with
// two exceptions: `namespace`, which is a keyword in C++, and the fields of `client.http`, which are
// directly in `client`.

namespace wva_metrics::detail {

inline void describe_fields(FieldList list, prometheus::AnswerLimits& limits) {
    list.add("max_series", limits.max_series, "Series in one answer.");
    list.add("max_samples_per_series", limits.max_samples_per_series, "Samples of one series.");
    list.add("max_buckets_per_series", limits.max_buckets_per_series,
             "Buckets of the native histograms of one series, of all samples together.");
    list.add("max_samples", limits.max_samples, "Samples of all series in one answer.");
    list.add("max_depth", limits.max_depth, "Nesting of JSON arrays and objects.");
    list.add("max_labels", limits.max_labels, "Labels of one series.");
    list.add("max_label_name_bytes", limits.max_label_name_bytes, "Name of one label, in bytes.");
    list.add("max_label_value_bytes", limits.max_label_value_bytes,
             "Value of one label, in bytes.");
    list.add("max_value_bytes", limits.max_value_bytes, "Characters of one number.");
    list.add("max_warnings", limits.max_warnings, "Warnings of the server that are kept.");
    list.add("max_warning_bytes", limits.max_warning_bytes,
             "Length of one warning, in bytes; the rest is cut off.");
}

inline void describe_fields(FieldList list, prometheus::ClientConfig& client) {
    describe_fields(list, client.http);
    describe_fields(list.group("answer"), client.answer);
    list.add("replicas", client.replicas,
             "URLs of further servers with the same data, e.g. of a second Prometheus that scrapes "
             "the same targets: asked in this order while the first fails. At most 7.",
             Secrecy::url);
    list.add("query_parameters", client.query_parameters,
             "Sent with every query, e.g. `dedup` for Thanos. The values are not shown.");
    list.add("max_get_bytes", client.max_get_bytes,
             "Maximum request target of a GET, in bytes; GET is used if a server rejects POST.");
}

inline void describe_fields(FieldList list, promql::QueryWindows& windows) {
    list.add("rate", windows.rate,
             "Window of rates and averages; longer where scrapes are rare. At most `1h`.");
    list.add("peak", windows.peak,
             "Window of the highest value of a gauge; `\"0s\"` = only the last sample. At most "
             "`1h`.");
    list.add("stale_lookback", windows.stale_lookback,
             "How long after its last sample a model is stale and not missing. At most `168h`.");
    list.add("stale_step", windows.stale_step, "Resolution of the search for this last sample.");
    list.add("pod_retention", windows.pod_retention,
             "How long a deleted pod is remembered. At most `6h`.", Secrecy::open, "pod_memory");
}

inline void describe_fields(FieldList list, promql::PlanLimits& limits) {
    list.add("max_models_per_query", limits.max_models_per_query,
             "Maximum number of models or namespaces per query.");
    list.add("max_query_bytes", limits.max_query_bytes, "Maximum text of one query, in bytes.");
}

inline void describe_fields(FieldList list, PrometheusConfig& prometheus) {
    describe_fields(list.group("client"), prometheus.client);
    list.add(
        "flavor", prometheus.flavor,
        "Make of the server: `prometheus`, `victoria_metrics`, `thanos` or `mimir`. `unknown`: "
        "it is learned from the server.");
    describe_fields(list.group("engine"), prometheus.engine);
    describe_optional_readings(list, prometheus.optional_readings);
    list.add("matchers", prometheus.matchers,
             "Conditions on all series of the inference servers, as in PromQL, e.g. "
             "`cluster='eu', tenant=~'a.*'`.");
    list.add("kube_state_matchers", prometheus.kube_state_matchers,
             "The same for the series of kube-state-metrics.");
    describe_fields(list.group("windows"), prometheus.windows);
    describe_fields(list.group("limits"), prometheus.limits);
    list.add("use_kube_state", prometheus.use_kube_state,
             "Query kube-state-metrics, through the same Prometheus, for existing pods and their "
             "owners.");
    list.add("min_requests", prometheus.min_requests,
             "An average over fewer requests in the rate window is missing.");
    list.add("stale_after", prometheus.stale_after,
             "A model is available if its last sample is at most this old. At most `1h`.");
    list.add("batch_timeout", prometheus.batch_timeout,
             "Maximum time of one batch; shorter than `collector.call_timeout`.");
}

inline void describe_fields(FieldList list, TrackedSettings& tracked) {
    list.add("variants", tracked.variants, "Variants whose optimizer metrics are fetched.");
    list.add("models", tracked.models, "Models whose replicas are fetched.");
}

inline void describe_fields(FieldList list, CollectorSettings& settings) {
    list.add(
        "backend", settings.backend,
        "Name of the backend in the factory: `prometheus`, `pods` (their own pages), `epp` (that "
        "of an endpoint picker), or one of yours. Two or three with `+` between, such as "
        "`pods+prometheus`, are layers: each reading is from the freshest, and from the one that "
        "is named first where several are equally fresh.");
    list.add("cache", settings.cache, "Name of the cache in the factory.");
    list.add("decorators", settings.decorators,
             "Names of the decorators of the backend, the innermost first.");
    list.add("plugins", settings.plugins, "Shared objects with backends; the program loads them.");
    describe_fields(list.group("collector"), settings.collector);
    describe_fields(list.group("prometheus"), settings.prometheus);
    describe_fields(list.group("pods"), settings.pods);
    describe_fields(list.group("epp"), settings.epp);
    describe_fields(list.group("layered"), settings.layered);
    describe_fields(list.group("tls"), settings.tls);
    describe_fields(list.group("proxy"), settings.proxy);
    list.add("proxy_from_environment", settings.proxy_from_environment,
             "Take the proxy from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` if `proxy.url` is "
             "empty.");
    describe_fields(list.group("tracked"), settings.tracked);
    list.add("options", settings.options,
             "For your own backends, caches and decorators, by their names. Not validated; "
             "strings are not shown.",
             Secrecy::secret);
}

/// The fields of a struct. They point into it, so it must outlive them and must not be moved.
template <typename T>
std::vector<Field> fields_of(T& described) {
    std::vector<Field> fields;
    describe_fields(FieldList(fields), described);
    return fields;
}

} // namespace wva_metrics::detail
