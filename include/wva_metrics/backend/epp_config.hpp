// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/epp_names.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/store_limits.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// How to read the metrics of an endpoint picker (EPP). Plain values; check them with `validate`.
struct EppConfig {
    /// The connection: URL, timeouts, credentials, TLS, limits. A URL without a path stands for
    /// `/metrics`. An EPP asks for a bearer token by default: `http::Credentials::bearer_file` reads
    /// it again when it is rotated.
    http::ClientConfig client{};
    /// The namespace of the EPP and its pool. It is in no label of its metrics, so it must be said here:
    /// models of other namespaces are not this EPP's.
    std::string namespace_name{};
    /// The pool, for an EPP whose page has several. Empty = the page's only one.
    std::string pool{};
    /// The models that the pool's servers serve. Empty = those that the page names. The EPP does not say
    /// which endpoint serves which model, so replicas are known only where this is one.
    std::vector<std::string> models{};
    /// How the EPP calls its metrics.
    EppNames names{};

    /// The window of rates and averages, 1 s to 1 h. A window that holds fewer than two samples is
    /// widened, up to five minutes.
    Duration rate_window = std::chrono::minutes(1);
    /// The window of the highest queue length of a replica, at most 1 h. 0 = the last sample only.
    Duration peak_window = std::chrono::minutes(1);
    /// Averages over fewer requests than this in the rate window are missing.
    double min_requests = 0.5;
    /// A page that was read within this time is not read again. 0 = each call reads it, unless another
    /// call is reading it.
    Duration reuse = std::chrono::milliseconds(500);
    /// How often the EPP computes the averages of its pool and the number of ready endpoints
    /// (`--refresh-prometheus-metrics-interval`): they may be that much older than the page.
    Duration flush_interval = std::chrono::seconds(5);
    /// The time for reading the page once.
    Duration scrape_timeout = std::chrono::seconds(5);

    /// The bounds of a page.
    exposition::PageLimits page{};
    /// The bounds of what is kept of it.
    scrape::StoreLimits store{};

    /// The defaults, for the EPP of a namespace at this URL.
    static EppConfig at(std::string url, std::string kubernetes_namespace) {
        EppConfig config;
        config.client.url = std::move(url);
        config.namespace_name = std::move(kubernetes_namespace);
        return config;
    }
};

/// All problems of a configuration, one sentence each, without secrets; empty if it is valid.
inline std::vector<std::string> validate(const EppConfig& config) {
    using namespace std::chrono_literals;
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* problem) {
        if (!holds)
            problems.emplace_back(problem);
    };
    for (const std::string& problem : http::validate(config.client))
        problems.push_back("client." + problem);
    for (const std::string& problem : exposition::validate(config.page))
        problems.push_back("page." + problem);
    for (const std::string& problem : scrape::validate(config.store))
        problems.push_back("store." + problem);
    require(!config.namespace_name.empty(),
            "namespace_name must be that of the EPP, because its metrics do not say it");
    require(config.rate_window >= 1s && config.rate_window <= 1h, "rate_window must be 1s to 1h");
    require(config.peak_window >= 0s && config.peak_window <= 1h,
            "peak_window must be 0 to 1h; 0 takes the last sample");
    require(config.min_requests >= 0 && std::isfinite(config.min_requests),
            "min_requests must be finite and not negative");
    require(config.reuse >= 0s && config.reuse <= 1min, "reuse must be 0 to 1m");
    require(config.flush_interval >= 0s, "flush_interval must not be negative");
    require(config.scrape_timeout > 0s, "scrape_timeout must be positive");
    for (std::size_t i = 0; i < config.models.size(); ++i)
        if (config.models[i].empty())
            problems.push_back("models[" + std::to_string(i) + "] must not be empty");
    for (std::size_t i = 0; i < epp_metric_count; ++i) {
        const auto metric = static_cast<EppMetric>(i);
        const std::vector<std::string>& names = config.names[metric];
        const std::string where = "names." + std::string(to_string(metric));
        if (names.empty())
            problems.push_back(where + " must have at least one name");
        for (const std::string& name : names)
            if (!detail::is_metric_name(name))
                problems.push_back(where + ": \"" + detail::clean_text(name, 100) +
                                   "\" is not a valid metric name");
    }
    return problems;
}

} // namespace wva_metrics
