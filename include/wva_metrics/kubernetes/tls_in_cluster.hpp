// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/tls.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace wva_metrics::kubernetes {

/// Where a pod finds its API server's address and its own credentials. The defaults are those of
/// Kubernetes; tests and programs outside a cluster set others.
struct InClusterSources {
    /// The directory with the files `token`, `ca.crt` and `namespace`.
    std::string service_account_directory = "/var/run/secrets/kubernetes.io/serviceaccount";
    /// Returns the value of an environment variable; empty if it is not set.
    std::function<std::string(const char* name)> environment = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
};

/// The configuration of a program that runs in a pod: the API server's address is in
/// `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, the pod's service account gives the
/// credentials, and the cluster's own certificate authority is trusted. Token and certificate are
/// read again when Kubernetes rotates them.
///
/// **Parameters:**
/// - `sources`: where the address and the credentials are.
///
/// **Errors:**
/// - `invalid_config`: the program runs outside a cluster, or in a pod without a mounted service
///   account; the message names what is missing.
///
/// **Threads:** any thread, if no thread changes the environment.
inline Result<ClientConfig> in_cluster_config(const InClusterSources& sources = {}) {
    const std::string host = sources.environment("KUBERNETES_SERVICE_HOST");
    const std::string port = sources.environment("KUBERNETES_SERVICE_PORT");
    if (host.empty() || port.empty())
        return Error(Errc::invalid_config,
                     "the program does not run in a cluster: KUBERNETES_SERVICE_HOST or "
                     "KUBERNETES_SERVICE_PORT is not set; set the API server's URL, token file "
                     "and certificate authority in kubernetes::ClientConfig");
    const std::string directory = sources.service_account_directory + '/';
    for (const char* const name : {"token", "ca.crt"}) {
        if (!std::ifstream(directory + name))
            return Error(Errc::invalid_config, "the service account's file " + directory + name +
                                                   " cannot be read; let Kubernetes mount it "
                                                   "(automountServiceAccountToken)");
    }
    ClientConfig config;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    config.http.url = "https://" + (is_ipv6 ? '[' + host + ']' : host) + ':' + port;
    config.http.credentials = http::Credentials::bearer_file(directory + "token");
    http::TlsConfig tls;
    tls.ca_file = directory + "ca.crt";
    Result<std::shared_ptr<http::Transport>> transport = http::make_tls_transport(std::move(tls));
    if (!transport)
        return std::move(transport).error();
    config.http.transport = *std::move(transport);
    // The file may be missing; the namespace is optional.
    std::ifstream(directory + "namespace") >> config.own_namespace;
    return config;
}

} // namespace wva_metrics::kubernetes
