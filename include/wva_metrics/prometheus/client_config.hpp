// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/prometheus/answer.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::prometheus {

/// How a client asks a Prometheus, or what speaks its query API. Plain values; use designated
/// initializers and check with `validate`.
struct ClientConfig {
    /// Where it is; `/api/v1/query` is appended to the URL's path. `http.timeouts.attempt` is told
    /// to the server too, so that it stops when nobody waits any more.
    http::ClientConfig http{};
    /// How large an answer may be.
    AnswerLimits answer{};
    /// Sent with every query, e.g. `{"dedup", "true"}` for Thanos.
    http::FormFields query_parameters{};
    /// Where a server takes no POST: target of a GET at most. Servers and proxies refuse longer
    /// ones, if not politely.
    std::size_t max_get_bytes = std::size_t{8} << 10;
};

/// Everything that is wrong with a configuration, one sentence each, without secrets; empty where
/// it is sound.
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
            problems.push_back(which + ": " + name + " is what the client itself decides");
    }
    if (config.max_get_bytes < 1024 || config.max_get_bytes > (std::size_t{1} << 20))
        problems.emplace_back("max_get_bytes must be between 1024 and 1048576");
    return problems;
}

} // namespace wva_metrics::prometheus
