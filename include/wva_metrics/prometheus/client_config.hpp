// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/resilience/endpoint_choice.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
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

/// The problems of `replicas`.
inline std::vector<std::string> replica_problems(const http::ClientConfig& http,
                                                 const std::vector<std::string>& replicas) {
    constexpr std::size_t max_replicas = resilience::EndpointChoice::max_endpoints - 1;
    std::vector<std::string> problems;
    if (replicas.size() > max_replicas)
        return {"replicas must be at most " + std::to_string(max_replicas) +
                " URLs besides the first"};
    const auto place_of = [](const std::string& text) {
        const Result<http::Url> url = http::parse_url(text);
        return url ? url->origin() + url->base_path : std::string();
    };
    std::vector<std::string> places{place_of(http.url)};
    const std::vector<std::string> of_all = http::validate(http);
    for (std::size_t i = 0; i < replicas.size(); ++i) {
        const std::string which = "replicas[" + std::to_string(i) + "]: ";
        http::ClientConfig replica = http;
        replica.url = replicas[i];
        for (const std::string& problem : http::validate(replica))
            if (std::find(of_all.begin(), of_all.end(), problem) == of_all.end())
                problems.push_back(which + problem);
        places.push_back(place_of(replicas[i]));
        if (!places.back().empty() && std::count(places.begin(), places.end(), places.back()) > 1)
            problems.push_back(which + "this server is in the list already");
    }
    return problems;
}

} // namespace detail

/// The configuration of a client of Prometheus or of a server with the same query API. An
/// aggregate: use designated initializers, and check it with `validate`.
struct ClientConfig {
    /// The endpoint; `/api/v1/query` is appended to the URL's path. `http.timeouts.attempt` is sent
    /// to the server too, so that it stops a query when the client no longer waits for it.
    /// `http.limits.max_body_bytes` is larger than the default of other clients.
    http::ClientConfig http = detail::default_http();
    /// The URLs of further servers with the same data, at most 7, such as a second Prometheus that
    /// scrapes the same targets. If the server at `http.url` fails, they are asked in this order; it is
    /// tried again after `http.protection.breaker.first_pause`, which doubles up to `max_pause`. All
    /// else in `http` holds for each of them: they get the same credentials, and have connections,
    /// breaker and limits of their own. `http.protection.retry` bounds what is sent to all of them
    /// together.
    std::vector<std::string> replicas{};
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
    for (std::string& problem : detail::replica_problems(config.http, config.replicas))
        problems.push_back(std::move(problem));
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
