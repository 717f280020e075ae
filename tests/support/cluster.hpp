// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/tls_in_cluster.hpp"

#include "support/api_messages.hpp"
#include "support/api_server.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string>

namespace wva_metrics::test_support {

/// The API server of a cluster, and the files that the cluster mounts into a pod.
struct Cluster {
    explicit Cluster(boost::asio::io_context& context)
        : server(context,
                 authority.sign({.common_name = "api", .alternative_names = "DNS:localhost"})) {
        write_file(files.path() / "ca.crt", authority.certificate_pem());
        write_file(files.path() / "namespace", "llm\n");
        write_token("token-1");
    }

    void write_token(const std::string& token) const {
        write_file(files.path() / "token", token + "\n");
    }

    kubernetes::InClusterSources sources() const {
        const std::string port = std::to_string(server.port());
        return {.service_account_directory = files.path().string(),
                .environment = [port](const char* name) -> std::string {
                    const std::string variable = name;
                    if (variable == "KUBERNETES_SERVICE_HOST")
                        return "localhost";
                    return variable == "KUBERNETES_SERVICE_PORT" ? port : "";
                }};
    }

    /// With very short waits between failures.
    kubernetes::ClientConfig config() const {
        kubernetes::ClientConfig config = kubernetes::in_cluster_config(sources()).value();
        config.initial_backoff = std::chrono::milliseconds(1);
        config.max_backoff = std::chrono::milliseconds(2);
        config.min_watch_time = std::chrono::milliseconds(0);
        return config;
    }

    TemporaryDirectory files;
    Certificate authority = Certificate::authority("cluster");
    ApiServer server;
};

} // namespace wva_metrics::test_support
