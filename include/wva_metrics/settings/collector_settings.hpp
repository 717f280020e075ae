// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/backend/layered_config.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/http/proxy_config.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/settings/kubernetes_pod_settings.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace wva_metrics {

/// The workloads that are tracked from the start.
struct TrackedSettings {
    /// Variants whose optimizer metrics are fetched.
    std::vector<VariantAutoscaling> variants{};
    /// Models whose replica metrics are fetched.
    std::vector<ModelKey> models{};
};

/// The section `pods`: which pods are read directly, and how.
struct PodSettings : PodConfig {
    /// Used if the URL of a target or a service begins with `https`. Targets with an `http` URL are
    /// read without TLS.
    http::TlsConfig tls{};
    /// Further pods, which the Kubernetes API knows. Not used if `find_targets` is set.
    KubernetesPodSettings kubernetes{};
};

/// The section `epp`: the endpoint picker, and how its page is read.
struct EppSettings : EppConfig {
    /// Used if `client.url` begins with `https`.
    http::TlsConfig tls{};
};

/// All settings of a collector in a JSON document or the environment: its parts (see
/// `CollectorFactory`) and the configuration of each part. A plain value. The defaults are those of
/// the structs; `prometheus.client.http.url`, `pods` (which pods) and `epp` (`client.url` and
/// `namespace_name`) have no usable default, and are required by the backends that use them.
///
/// The path of a field in a document is the path of the member in C++, with two exceptions. The
/// document has no level `http`: `prometheus.client.http.url` in C++ is `prometheus.client.url` in
/// a document. And `namespace_name` in C++ is `namespace` in a document. examples/configuration.md
/// lists the paths in a document.
struct CollectorSettings {
    /// Name of the backend in the factory: `prometheus`, `pods`, `epp`, or a name that was
    /// registered. Two or three names with `+` between, such as `pods+prometheus`, are layers
    /// (`LayeredBackend`), the preferred one first.
    std::string backend = "prometheus";
    /// Name of the cache in the factory.
    std::string cache = "sharded";
    /// Names of the decorators, the innermost first: each one wraps the result of the previous one.
    std::vector<std::string> decorators{};
    /// Shared objects with backends. The program loads them
    /// (`wva_metrics/settings/plugin/load_plugin.hpp`).
    std::vector<std::string> plugins{};
    /// Configuration of the collector.
    CollectorConfig collector{};
    /// Configuration of the Prometheus backend. `transport`, `decompressor` and `owners` are
    /// objects, not data, and stay null here.
    PrometheusConfig prometheus{};
    /// Configuration of the backend `pods`. `client.transport`,
    /// `client.decompressor`, `find_targets` and `owners` are objects, not data, and stay null here;
    /// `client.url` and `client.protection` are not used.
    PodSettings pods{};
    /// Configuration of the backend `epp`. `client.transport` and `client.decompressor` are objects,
    /// not data, and stay null here; `client.protection` is not used.
    EppSettings epp{};
    /// How a backend of several layers chooses among them. `names` is set by the factory.
    LayeredConfig layered{};
    /// Used if the Prometheus URL begins with `https`.
    http::TlsConfig tls{};
    /// The proxy between the program and Prometheus; none by default.
    http::ProxyConfig proxy{};
    /// Lets `load_settings` take the proxy from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, if
    /// `proxy.url` is empty. Off by default: in a cluster these variables are meant for the way out.
    bool proxy_from_environment = false;
    /// Tracked from the start.
    TrackedSettings tracked{};
    /// Settings of the user's own backends, caches and decorators, by their names. Not validated.
    boost::json::object options{};
};

} // namespace wva_metrics
