// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/prometheus/answer.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::prometheus {

/// The default bound on the body of an answer, as received and decompressed. A body is decoded as it
/// arrives; one that is compressed is held until it is complete. The raw samples of 1000 models with 13 metrics are about 9 MB, scraped every 2
/// seconds about 20 MB.
inline constexpr std::size_t default_max_body_bytes = std::size_t{64} << 20;

namespace detail {

inline http::ClientConfig default_http() {
    http::ClientConfig config;
    config.limits.max_body_bytes = default_max_body_bytes;
    return config;
}

} // namespace detail

/// The configuration of a client of Prometheus or of a server with the same query API. An
/// aggregate: use designated initializers, and check it with `validate`.
struct ClientConfig {
    /// The endpoint; `/api/v1/query` is appended to the URL's path. `http.timeouts.attempt` is sent
    /// to the server too, so that it stops a query when the client no longer waits for it.
    /// `http.limits.max_body_bytes` is larger than the default of other clients.
    http::ClientConfig http = detail::default_http();
    /// Bounds on an answer.
    AnswerLimits answer{};
    /// Sent with every query, e.g. `{"dedup", "true"}` for Thanos.
    http::FormFields query_parameters{};
    /// The longest request target of a GET, which is used if the server does not accept POST. Many
    /// servers and proxies reject longer ones, often without a useful error.
    std::size_t max_get_bytes = std::size_t{8} << 10;
};

/// The problems of a configuration, one sentence each, without secrets; empty if it is valid.
inline std::vector<std::string> validate(const ClientConfig& config) {
    std::vector<std::string> problems;
    for (const std::string& problem : http::validate(config.http))
        problems.push_back("http: " + problem);
    for (const std::string& problem : validate(config.answer))
        problems.push_back(problem);
    for (std::size_t i = 0; i < config.query_parameters.size(); ++i) {
        const std::string& name = config.query_parameters[i].first;
        const std::string which = "query_parameters[" + std::to_string(i) + "]";
        if (name.empty())
            problems.push_back(which + " must have a name");
        else if (name == "query" || name == "timeout" || name == "time")
            problems.push_back(which + ": " + name + " is set by the client itself");
    }
    if (config.max_get_bytes < 1024 || config.max_get_bytes > (std::size_t{1} << 20))
        problems.emplace_back("max_get_bytes must be between 1024 and 1048576");
    return problems;
}

} // namespace wva_metrics::prometheus
