// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/http/proxy.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/client_extras.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Makes the backend "prometheus" of a `CollectorFactory`.
inline Result<PrometheusBackend> make_prometheus(const asio::any_io_executor& executor,
                                                 const CollectorSettings& settings) {
    PrometheusConfig config = settings.prometheus;
    if (!config.client.http.transport) {
        if (config.client.http.url.starts_with("https:"))
            if (const Result<void> added =
                    add_tls(settings.tls, config.client.http, "prometheus.client.url");
                !added)
                return added.error();
        auto proxied = http::make_proxy_transport(settings.proxy, config.client.http.transport);
        if (!proxied)
            return std::move(proxied).error();
        config.client.http.transport = *std::move(proxied);
    }
    add_gzip(config.client.http);
    std::vector<std::string> problems = validate(config);
    for (std::string& problem : problems)
        problem.insert(0, "prometheus.");
    if (!problems.empty())
        return Error(Errc::invalid_config, join_problems(problems));
    return PrometheusBackend(executor, std::move(config));
}

} // namespace wva_metrics::detail
