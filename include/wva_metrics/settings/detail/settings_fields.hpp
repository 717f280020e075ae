// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/field.hpp"

#include <string>
#include <utility>
#include <vector>

// The one description of what a document can say. Reading, writing, the environment, dumps, live
// changes and docs/configuration.md all follow it. A document names a field as its struct does,
// except that `namespace` is no word that C++ leaves to its users, and that `http` is not spelled
// out between `client` and its fields.

namespace wva_metrics::detail {

inline void describe_fields(FieldList list, FreshnessThresholds& thresholds) {
    list.add("optimizer_metrics", thresholds.optimizer_metrics,
             "Optimizer metrics whose oldest sample is younger than this are fresh.");
    list.add("replica_metrics", thresholds.replica_metrics,
             "Replica metrics whose oldest sample is younger than this are fresh.");
    list.add("unavailable", thresholds.unavailable,
             "From this age on metrics count as unavailable.");
}

inline void describe_fields(FieldList list, CacheConfig& cache) {
    list.add("enabled", cache.enabled,
             "`false`: every call asks the backend; concurrent equal questions are still asked "
             "once.");
    list.add("ttl", cache.ttl, "Up to this age an entry is a hit.");
    list.add("cleanup_interval", cache.cleanup_interval,
             "How often entries that can no longer be served are removed; `\"0s\"` = never.");
    list.add("fetch_interval", cache.fetch_interval,
             "How often what is tracked is fetched in the background; `\"0s\"` = never.");
    describe_fields(list.group("freshness_thresholds"), cache.freshness_thresholds);
    list.add("stale_while_revalidate", cache.stale_while_revalidate,
             "How long after its TTL an entry is still served while it is renewed behind the "
             "caller.");
    list.add("stale_if_error", cache.stale_if_error,
             "How long after its TTL an entry is still served when the backend fails.");
    list.add("negative_ttl", cache.negative_ttl,
             "How long a failure is remembered before the backend is asked the same again.");
    list.add("partial_ttl", cache.partial_ttl,
             "TTL of an answer of which the backend could give only a part.");
    list.add("max_entries", cache.max_entries,
             "Entries kept at most; a variant or a model is one entry.");
    list.add("max_bytes", cache.max_bytes, "Estimated memory of all entries at most, in bytes.");
}

inline void describe_fields(FieldList list, CollectorConfig& collector) {
    describe_fields(list.group("cache"), collector.cache);
    list.add("call_timeout", collector.call_timeout,
             "A whole collection, retries included, takes at most this long.");
    list.add("track_on_collection", collector.track_on_collection,
             "Whatever is collected once is fetched in the background from then on.");
    list.add("untrack_after", collector.untrack_after,
             "What nobody has asked for in this time is no longer fetched; `\"0s\"` = fetched for "
             "ever.");
    list.add("max_tracked", collector.max_tracked, "Tracked variants and models at most, each.");
    list.add("max_waiters", collector.max_waiters,
             "Callers that wait for the backend at the same time at most.");
}

inline void describe_fields(FieldList list, http::Timeouts& timeouts) {
    list.add("resolve", timeouts.resolve, "Name to addresses.");
    list.add("connect", timeouts.connect, "TCP connection, shared by the host's addresses.");
    list.add("tls_handshake", timeouts.tls_handshake, "TLS handshake.");
    list.add("attempt", timeouts.attempt,
             "One request, from the free connection to the last byte of the answer.");
    list.add("address_lifetime", timeouts.address_lifetime,
             "How long found addresses are used before the name is looked up again.");
}

inline void describe_fields(FieldList list, http::Limits& limits) {
    list.add("max_header_bytes", limits.max_header_bytes,
             "Status line and headers of an answer, in bytes.");
    list.add("max_buffer_bytes", limits.max_buffer_bytes,
             "Bytes received but not yet understood: bounds headers, chunk extensions, trailers.");
    list.add("max_body_bytes", limits.max_body_bytes, "Body of an answer, in bytes.");
    list.add("max_informational", limits.max_informational,
             "Interim (1xx) answers before the real one.");
    list.add("max_connections", limits.max_connections, "Requests in flight.");
    list.add("max_streams", limits.max_streams, "Streamed answers under way; Prometheus has none.");
    list.add("max_idle", limits.max_idle, "Connections kept for later.");
    list.add("max_queued", limits.max_queued, "Calls that wait for a connection.");
    list.add("max_addresses", limits.max_addresses, "Addresses of the host that are tried.");
    list.add("idle_timeout", limits.idle_timeout,
             "A connection unused for longer is not used again.");
}

inline void describe_fields(FieldList list, http::ClientConfig& client) {
    list.add("url", client.url,
             "Where Prometheus is: `http://host:port/base/path`, or `https`. Without user and "
             "password.",
             Secrecy::url);
    describe_fields(list.group("timeouts"), client.timeouts);
    describe_fields(list.group("limits"), client.limits);
    list.add("credentials", client.credentials,
             "How we prove who we are: one of `{\"token_file\": \"path\"}` (read again when it "
             "changes), `{\"token\": \"…\"}`, `{\"user\": \"…\", \"password\": \"…\"}`.");
    list.add("headers", client.headers,
             "Sent with every request, for a tenant's name for example. The values are not shown.");
}

inline void describe_fields(FieldList list, prometheus::AnswerLimits& limits) {
    list.add("max_series", limits.max_series, "Series in one answer.");
    list.add("max_depth", limits.max_depth, "JSON arrays and objects within each other.");
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
    list.add("query_parameters", client.query_parameters,
             "Sent with every query, e.g. `dedup` for Thanos. The values are not shown.");
    list.add("max_get_bytes", client.max_get_bytes,
             "Where a server takes no POST: target of a GET at most, in bytes.");
}

inline void describe_fields(FieldList list, EngineLabels& labels) {
    list.add("namespace", labels.namespace_name, "Label of the pod's namespace.");
    list.add("model", labels.model, "Label of the model's id.");
    list.add("pod", labels.pod, "Label of the pod.");
    list.add("engine", labels.engine, "Labels that tell the engines inside one pod apart.");
}

inline void describe_fields(FieldList list, KubeStateNames& names) {
    list.add("pod_info", names.pod_info, "Metric of the pods that exist.");
    list.add("pod_owner", names.pod_owner, "Metric of the pods' owners.");
    list.add("namespace", names.namespace_name,
             "Label of the namespace; `exported_namespace` where the scrape does not honour "
             "labels.");
    list.add("pod", names.pod, "Label of the pod; `exported_pod` likewise.");
    list.add("owner_kind", names.owner_kind, "Label of the owner's kind.");
    list.add("owner_name", names.owner_name, "Label of the owner's name.");
}

inline void describe_fields(FieldList list, EngineProfile& engine) {
    list.add("name", engine.name, "For people.");
    for (const SignalInfo& info : signals)
        list.add(info.name, engine[info.signal], info.description);
    describe_fields(list.group("labels"), engine.labels);
    describe_fields(list.group("kube_state"), engine.kube_state);
}

inline void describe_fields(FieldList list, promql::QueryWindows& windows) {
    list.add("rate", windows.rate,
             "Window of rates and averages; at least two scrapes must fall into it.");
    list.add("peak", windows.peak,
             "Window of the highest value of a gauge; `\"0s\"` = only the last sample.");
    list.add("stale_lookback", windows.stale_lookback,
             "How long after its last sample a model counts as stale and not as missing.");
    list.add("stale_step", windows.stale_step, "How exactly that last sample is found.");
    list.add("pod_memory", windows.pod_memory,
             "How long a pod that no longer exists is remembered to be gone.");
}

inline void describe_fields(FieldList list, promql::PlanLimits& limits) {
    list.add("max_models_per_query", limits.max_models_per_query,
             "Models or namespaces per query at most.");
    list.add("max_query_bytes", limits.max_query_bytes, "Text of one query at most, in bytes.");
}

inline void describe_fields(FieldList list, PrometheusConfig& prometheus) {
    describe_fields(list.group("client"), prometheus.client);
    describe_fields(list.group("engine"), prometheus.engine);
    describe_fields(list.group("windows"), prometheus.windows);
    describe_fields(list.group("limits"), prometheus.limits);
    list.add("use_kube_state", prometheus.use_kube_state,
             "Ask kube-state-metrics, through the same Prometheus, which pods exist and whose they "
             "are.");
    list.add("min_requests", prometheus.min_requests,
             "An average over fewer requests in the rate window is missing.");
    list.add("stale_after", prometheus.stale_after,
             "The last sample may be this old for a model to count as available.");
    list.add("batch_timeout", prometheus.batch_timeout,
             "One batch of questions; shorter than `collector.call_timeout`.");
}

inline void describe_fields(FieldList list, TlsSettings& tls) {
    list.add("ca_file", tls.ca_file,
             "PEM file of the authorities that are trusted; empty = the system's.");
    list.add("certificate_file", tls.certificate_file, "PEM file of our certificate chain.");
    list.add("private_key_file", tls.private_key_file, "PEM file of our key.");
    list.add("server_name", tls.server_name,
             "Name or IP address in the server's certificate; empty = the URL's host.");
    list.add("reload_interval", tls.reload_interval,
             "Changed files are noticed by the first connection after this time.");
    list.add("insecure_accept_any_certificate", tls.insecure_accept_any_certificate,
             "Gives up what TLS is for: anybody in between can read and change everything.");
}

inline void describe_fields(FieldList list, TrackedSettings& tracked) {
    list.add("variants", tracked.variants, "Variants whose optimizer metrics are fetched.");
    list.add("models", tracked.models, "Models whose replicas are fetched.");
}

inline void describe_fields(FieldList list, CollectorSettings& settings) {
    list.add("backend", settings.backend, "Where data comes from, by its name in the factory.");
    list.add("cache", settings.cache, "Where it is kept, by its name in the factory.");
    list.add("decorators", settings.decorators,
             "What wraps the backend, by name, the innermost first.");
    list.add("plugins", settings.plugins, "Shared objects with backends; the program loads them.");
    describe_fields(list.group("collector"), settings.collector);
    describe_fields(list.group("prometheus"), settings.prometheus);
    describe_fields(list.group("tls"), settings.tls);
    describe_fields(list.group("tracked"), settings.tracked);
    list.add("options", settings.options,
             "For backends, caches and decorators of your own, by their names. Not checked; "
             "strings are not shown.",
             Secrecy::secret);
}

// What the items of lists hold.

inline void describe_fields(FieldList list, http::Header& header) {
    list.add("name", header.name, "Name of the header.");
    list.add("value", header.value, "Its value.", Secrecy::secret);
}

inline void describe_fields(FieldList list, std::pair<std::string, std::string>& parameter) {
    list.add("name", parameter.first, "Name of the parameter.");
    list.add("value", parameter.second, "Its value.", Secrecy::secret);
}

inline void describe_fields(FieldList list, VariantAutoscaling& variant) {
    list.add("namespace", variant.namespace_name, "Namespace of the variant, needed.");
    list.add("name", variant.name, "Name of the variant autoscaling object, needed.");
    list.add("model_id", variant.model_id, "The model as the servers name it, needed.");
    list.add("deployment", variant.deployment, "The workload that is scaled, needed.");
    list.add("accelerator", variant.accelerator, "Kind of accelerator.");
    list.add("cost", variant.cost, "Of one replica per hour, in your currency.");
    list.add("target_kind", variant.target_kind,
             "Kind of the workload: `Deployment`, `StatefulSet`, `LeaderWorkerSet`.");
}

inline void describe_fields(FieldList list, ModelKey& model) {
    list.add("namespace", model.namespace_name, "Namespace of the model's servers, needed.");
    list.add("model_id", model.model_id, "The model as the servers name it, needed.");
}

/// What can be said about credentials; at most one kind of them at a time.
struct CredentialsText {
    std::string token_file;
    std::string token;
    std::string user;
    std::string password;
};

inline void describe_fields(FieldList list, CredentialsText& text) {
    list.add("token_file", text.token_file,
             "File with a bearer token. It is read again every minute, and when it is refused.");
    list.add("token", text.token, "A bearer token that never changes.", Secrecy::secret);
    list.add("user", text.user, "User name, sent with the password.");
    list.add("password", text.password, "Password of `user`.", Secrecy::secret);
}

/// The fields of a struct; valid as long as it is, and is not moved.
template <typename T>
std::vector<Field> fields_of(T& described) {
    std::vector<Field> fields;
    describe_fields(FieldList(fields), described);
    return fields;
}

} // namespace wva_metrics::detail
