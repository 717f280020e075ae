// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

namespace wva_metrics {

/// Returns the value of an environment variable; empty if it is not set. A variable with an empty
/// value is treated as not set.
using Environment = std::function<std::string(const char* name)>;

/// The environment of this process. Safe as long as no thread changes the environment.
inline Environment process_environment() {
    return [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
}

/// An environment variable that sets fields of the settings.
struct EnvironmentVariable {
    /// The name. Most are those that deployments of the workload variant autoscaler use.
    const char* name;
    /// Paths of the fields that it sets; the second one may be empty.
    std::array<std::string_view, 2> paths;
};

/// All environment variables that are read.
inline constexpr std::array<EnvironmentVariable, 39> environment_variables{{
    {"PROMETHEUS_BASE_URL", {"prometheus.client.url"}},
    {"PROMETHEUS_REPLICA_URLS", {"prometheus.client.replicas"}}, // Separated by commas.
    {"PROMETHEUS_TOKEN_PATH", {"prometheus.client.credentials"}},
    {"PROMETHEUS_BEARER_TOKEN", {"prometheus.client.credentials"}},
    {"PROMETHEUS_ALLOW_CREDENTIALS_WITHOUT_TLS",
     {"prometheus.client.allow_credentials_without_tls"}},
    {"PROMETHEUS_TLS_INSECURE_SKIP_VERIFY", {"tls.insecure_accept_any_certificate"}},
    {"PROMETHEUS_CA_CERT_PATH", {"tls.ca_file"}},
    {"PROMETHEUS_CLIENT_CERT_PATH", {"tls.certificate_file"}},
    {"PROMETHEUS_CLIENT_KEY_PATH", {"tls.private_key_file"}},
    {"PROMETHEUS_SERVER_NAME", {"tls.server_name"}},
    {"PROMETHEUS_MATCHERS", {"prometheus.matchers"}},
    {"PROMETHEUS_KUBE_STATE_MATCHERS", {"prometheus.kube_state_matchers"}},
    {"PROMETHEUS_METRICS_CACHE_ENABLED", {"collector.cache.enabled"}},
    {"PROMETHEUS_METRICS_CACHE_TTL", {"collector.cache.ttl"}},
    {"PROMETHEUS_METRICS_CACHE_CLEANUP_INTERVAL", {"collector.cache.cleanup_interval"}},
    {"PROMETHEUS_METRICS_CACHE_FETCH_INTERVAL", {"collector.cache.fetch_interval"}},
    {"PROMETHEUS_METRICS_CACHE_FRESH_THRESHOLD",
     {"collector.cache.freshness_thresholds.optimizer_metrics",
      "collector.cache.freshness_thresholds.replica_metrics"}},
    {"PROMETHEUS_METRICS_CACHE_UNAVAILABLE_THRESHOLD",
     {"collector.cache.freshness_thresholds.unavailable"}},
    {"METRICS_BACKEND", {"backend"}},
    {"PODS_TARGETS", {"pods.targets"}},   // Separated by commas.
    {"PODS_SERVICES", {"pods.services"}}, // Separated by commas.
    {"PODS_TOKEN_PATH", {"pods.client.credentials"}},
    {"PODS_BEARER_TOKEN", {"pods.client.credentials"}},
    {"PODS_ALLOW_CREDENTIALS_WITHOUT_TLS", {"pods.client.allow_credentials_without_tls"}},
    {"PODS_TLS_INSECURE_SKIP_VERIFY", {"pods.tls.insecure_accept_any_certificate"}},
    {"PODS_CA_CERT_PATH", {"pods.tls.ca_file"}},
    {"PODS_KUBERNETES_NAMESPACES", {"pods.kubernetes.namespaces"}}, // Separated by commas.
    {"PODS_KUBERNETES_SELECTOR", {"pods.kubernetes.pod_selector"}},
    {"PODS_KUBERNETES_MODEL_LABEL", {"pods.kubernetes.model_label"}},
    {"PODS_KUBERNETES_URL", {"pods.kubernetes.client.url"}},
    {"EPP_URL", {"epp.client.url"}},
    {"EPP_NAMESPACE", {"epp.namespace"}},
    {"EPP_POOL", {"epp.pool"}},
    {"EPP_MODELS", {"epp.models"}}, // Separated by commas.
    {"EPP_TOKEN_PATH", {"epp.client.credentials"}},
    {"EPP_BEARER_TOKEN", {"epp.client.credentials"}},
    {"EPP_ALLOW_CREDENTIALS_WITHOUT_TLS", {"epp.client.allow_credentials_without_tls"}},
    {"EPP_TLS_INSECURE_SKIP_VERIFY", {"epp.tls.insecure_accept_any_certificate"}},
    {"EPP_CA_CERT_PATH", {"epp.tls.ca_file"}},
}};

} // namespace wva_metrics
