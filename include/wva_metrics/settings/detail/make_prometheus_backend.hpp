// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/http/proxy.hpp"
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

/// Adds a TLS transport to the client. This depends on a macro, so either all translation units of
/// a program are compiled with TLS, or none.
inline Result<void> add_tls([[maybe_unused]] const http::TlsConfig& settings,
                            [[maybe_unused]] http::ClientConfig& client) {
#ifdef WVA_METRICS_WITH_TLS
    auto transport = http::make_tls_transport(settings);
    if (!transport)
        return std::move(transport).error();
    client.transport = *std::move(transport);
    return {};
#else
    return Error(Errc::invalid_config,
                 "prometheus.client.url begins with https, but this program was built without "
                 "TLS: link it with wva_metrics::tls");
#endif
}

/// Makes the backend "prometheus" of a `CollectorFactory`.
inline Result<AnyBackend> make_prometheus(const asio::any_io_executor& executor,
                                          const CollectorSettings& settings) {
    PrometheusConfig config = settings.prometheus;
    if (!config.client.http.transport) {
        if (config.client.http.url.starts_with("https:"))
            if (const Result<void> added = add_tls(settings.tls, config.client.http); !added)
                return added.error();
        auto proxied = http::make_proxy_transport(settings.proxy, config.client.http.transport);
        if (!proxied)
            return std::move(proxied).error();
        config.client.http.transport = *std::move(proxied);
    }
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
