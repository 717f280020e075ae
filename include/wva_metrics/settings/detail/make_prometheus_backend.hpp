// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#ifdef WVA_METRICS_WITH_GZIP
#include "wva_metrics/http/gzip.hpp"
#endif
#ifdef WVA_METRICS_WITH_TLS
#include "wva_metrics/http/tls.hpp"
#endif

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Gives the client what it needs to reach an `https` server. Only where the program was built with
/// TLS, so every unit of a program should be, or none.
inline Result<void> add_tls([[maybe_unused]] const TlsSettings& settings,
                            [[maybe_unused]] http::ClientConfig& client) {
#ifdef WVA_METRICS_WITH_TLS
    auto transport = http::make_tls_transport(
        {.ca_file = settings.ca_file,
         .certificate_file = settings.certificate_file,
         .private_key_file = settings.private_key_file,
         .server_name = settings.server_name,
         .reload_interval = settings.reload_interval,
         .insecure_accept_any_certificate = settings.insecure_accept_any_certificate});
    if (!transport)
        return std::move(transport).error();
    client.transport = *std::move(transport);
    return {};
#else
    return Error(Errc::invalid_config,
                 "prometheus.client.url begins with https, and this program was built without "
                 "TLS: link it with wva_metrics::tls");
#endif
}

/// The backend "prometheus" of a `CollectorFactory`.
inline Result<AnyBackend> make_prometheus(const asio::any_io_executor& executor,
                                          const CollectorSettings& settings) {
    PrometheusConfig config = settings.prometheus;
    if (config.client.http.url.starts_with("https:") && !config.client.http.transport)
        if (const Result<void> added = add_tls(settings.tls, config.client.http); !added)
            return added.error();
#ifdef WVA_METRICS_WITH_GZIP
    if (!config.client.http.decompressor)
        config.client.http.decompressor = http::make_gzip_decompressor();
#endif
    std::vector<std::string> problems = validate(config);
    for (std::string& problem : problems)
        problem.insert(0, "prometheus.");
    if (!problems.empty())
        return Error(Errc::invalid_config, join_problems(problems));
    return PrometheusBackend(executor, std::move(config));
}

} // namespace wva_metrics::detail
