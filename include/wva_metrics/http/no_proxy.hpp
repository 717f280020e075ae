// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/http/url.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace wva_metrics::http {

namespace detail {

/// A rule without its port, and the port; 0 = any port. Nothing if the port is wrong.
struct NoProxyRule {
    std::string host;
    std::uint16_t port = 0;

    static std::optional<NoProxyRule> parse(std::string_view text) {
        NoProxyRule rule;
        std::size_t colon = text.find(':');
        if (text.starts_with('[')) {
            const std::size_t bracket = text.find(']');
            if (bracket == std::string_view::npos)
                return std::nullopt;
            rule.host = text.substr(1, bracket - 1);
            colon = bracket + 1 == text.size() ? std::string_view::npos : bracket + 1;
            if (colon != std::string_view::npos && text[colon] != ':')
                return std::nullopt;
        } else if (colon == std::string_view::npos || colon != text.rfind(':')) {
            colon = std::string_view::npos; // An IPv6 address without brackets has several.
            rule.host = text;
        } else {
            rule.host = text.substr(0, colon);
        }
        if (colon != std::string_view::npos) {
            const char* const end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data() + colon + 1, end, rule.port);
            if (parsed.ec != std::errc() || parsed.ptr != end || rule.port == 0)
                return std::nullopt;
        }
        std::transform(rule.host.begin(), rule.host.end(), rule.host.begin(), to_lower);
        return rule;
    }
};

/// True if the address is in the network, `address/prefix length`.
inline bool is_in_network(const std::string& host, const std::string& network) {
    namespace ip = boost::asio::ip;
    boost::system::error_code failure;
    const ip::address address = ip::make_address(host, failure);
    if (failure)
        return false;
    if (address.is_v4()) {
        const ip::network_v4 whole = ip::make_network_v4(network, failure);
        return !failure && ip::network_v4(address.to_v4(), whole.prefix_length()).canonical() ==
                               whole.canonical();
    }
    const ip::network_v6 whole = ip::make_network_v6(network, failure);
    return !failure &&
           ip::network_v6(address.to_v6(), whole.prefix_length()).canonical() == whole.canonical();
}

inline bool is_network(const std::string& text) {
    boost::system::error_code no_v4;
    boost::system::error_code no_v6;
    boost::asio::ip::make_network_v4(text, no_v4);
    boost::asio::ip::make_network_v6(text, no_v6);
    return !no_v4 || !no_v6;
}

/// True if the rule is for this server.
inline bool matches_no_proxy(std::string_view text, const Url& server) {
    if (text == "*")
        return true;
    const std::string host = server.host_name();
    if (text.find('/') != std::string_view::npos)
        return is_in_network(host, std::string(text));
    const std::optional<NoProxyRule> rule = NoProxyRule::parse(text);
    if (!rule || (rule->port != 0 && rule->port != server.port))
        return false;
    boost::system::error_code is_name;
    const auto address = boost::asio::ip::make_address(rule->host, is_name);
    if (!is_name) {
        const auto own = boost::asio::ip::make_address(host, is_name);
        return !is_name && own == address;
    }
    std::string_view domain = rule->host;
    if (domain.starts_with("*."))
        domain.remove_prefix(1);
    if (domain.ends_with('.'))
        domain.remove_suffix(1);
    if (domain.starts_with('.'))
        return domain.size() > 1 && host.ends_with(domain);
    return !domain.empty() && (host == domain || host.ends_with('.' + std::string(domain)));
}

} // namespace detail

/// True if the text can be a rule of `is_no_proxy`.
inline bool is_no_proxy_rule(std::string_view rule) {
    if (rule.empty() || rule.size() > 300 || !detail::is_visible(rule))
        return false;
    if (rule.find('/') != std::string_view::npos)
        return detail::is_network(std::string(rule));
    const auto parsed = detail::NoProxyRule::parse(rule);
    return parsed && !parsed->host.empty();
}

/// True if a server is reached without the proxy: it is the own machine, or one of the rules is for
/// it. The rules are those of Go's HTTP client, for the variable `NO_PROXY` too:
/// - `example.org`: this host and all hosts below it,
/// - `.example.org` or `*.example.org`: only the hosts below it,
/// - an IP address, or a network such as `10.0.0.0/8`; only for URLs that have an address,
/// - each of them but a network also with `:port`, an IPv6 address then in `[ ]`,
/// - `*`: every server.
inline bool is_no_proxy(const std::vector<std::string>& rules, const Url& server) {
    return server.is_loopback() ||
           std::any_of(rules.begin(), rules.end(), [&](const std::string& rule) {
               return detail::matches_no_proxy(rule, server);
           });
}

} // namespace wva_metrics::http
