// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics {

/// How an `https` server is checked and how we prove who we are, as a document says it. The fields
/// are those of `http::TlsConfig`, which is only there where the program uses TLS.
struct TlsSettings {
    /// PEM file of the authorities that are trusted; empty = the system's.
    std::string ca_file{};
    /// PEM file of our certificate chain. Together with `private_key_file`, or neither.
    std::string certificate_file{};
    /// PEM file of our key, without a passphrase.
    std::string private_key_file{};
    /// The name or IP address that the server's certificate must hold; empty = the URL's host.
    std::string server_name{};
    /// Changed files are noticed by the first connection made after this time.
    Duration reload_interval = std::chrono::seconds(60);
    /// Accepts any certificate: anybody between us and the server can read and change everything.
    bool insecure_accept_any_certificate = false;

    /// Same values.
    friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

/// What is fetched in the background from the start, without being asked for first.
struct TrackedSettings {
    /// Their optimizer metrics are fetched.
    std::vector<VariantAutoscaling> variants{};
    /// Their replicas are fetched.
    std::vector<ModelKey> models{};
};

/// Everything a JSON document or the environment can say about a collector: what it is made of and
/// how each part works. A plain value; the defaults are those of the structs, and only
/// `prometheus.client.http.url` has none that works.
struct CollectorSettings {
    /// Name of the backend, as it is registered in the factory.
    std::string backend = "prometheus";
    /// Name of the cache, as it is registered in the factory.
    std::string cache = "sharded";
    /// Names of the decorators, the innermost first: each wraps the backend that those before it
    /// have made.
    std::vector<std::string> decorators{};
    /// Shared objects that hold backends; loading them is left to the program
    /// (plugin/load_plugin.hpp).
    std::vector<std::string> plugins{};
    /// How the collector works.
    CollectorConfig collector{};
    /// How Prometheus is asked. Its transport and owners are objects, not data, and stay null here.
    PrometheusConfig prometheus{};
    /// Used where the Prometheus URL begins with `https`.
    TlsSettings tls{};
    /// Known before anybody asks.
    TrackedSettings tracked{};
    /// What backends, caches and decorators of the user's own want to know, by their names. Not
    /// checked here.
    boost::json::object options{};
};

} // namespace wva_metrics
