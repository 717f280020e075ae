// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/no_proxy.hpp"
#include "wva_metrics/http/url.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::http {

/// An HTTP proxy between the client and its servers.
///
/// Plain values; `make_proxy_transport` (http/proxy.hpp) uses them.
struct ProxyConfig {
    /// `http://host:port`; empty = no proxy.
    std::string url{};
    /// User and password for the proxy, or none. They are sent to it without encryption, because a
    /// connection to a proxy has none; what goes through the proxy to an `https` server is encrypted
    /// as ever.
    Credentials credentials{};
    /// The servers that are reached without the proxy; see `is_no_proxy`. The own machine always is.
    std::vector<std::string> no_proxy{};
};

/// All problems of a configuration, one sentence each, without secrets; empty if it is valid.
inline std::vector<std::string> validate(const ProxyConfig& config) {
    std::vector<std::string> problems;
    if (!config.url.empty()) {
        const Result<Url> url = parse_url(config.url);
        if (!url)
            problems.push_back("proxy." + url.error().message);
        else if (url->is_secure())
            problems.emplace_back("proxy.url must begin with http://: the connection to a proxy is "
                                  "not encrypted, what goes through it to an https server is");
        else if (!url->base_path.empty())
            problems.emplace_back("proxy.url must not have a path");
    }
    const Credentials::Kind kind = config.credentials.kind();
    if (kind != Credentials::Kind::none && kind != Credentials::Kind::basic)
        problems.emplace_back("proxy.credentials must be a user and a password");
    else if (const std::string problem = config.credentials.problem(); !problem.empty())
        problems.push_back("proxy." + problem);
    for (std::size_t i = 0; i < config.no_proxy.size(); ++i)
        if (!is_no_proxy_rule(config.no_proxy[i]))
            problems.push_back("proxy.no_proxy[" + std::to_string(i) +
                               "] must be a host, .domain, address, network such as 10.0.0.0/8, "
                               "or *, with a port of 1 to 65535 if any");
    return problems;
}

} // namespace wva_metrics::http
