// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/characters.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http {

/// The URL of a server: the strict subset of URLs that a client needs.
struct Url {
    /// `http` or `https`.
    std::string scheme;
    /// In lower case; an IPv6 address without brackets. A trailing dot (an absolute DNS name) is
    /// kept.
    std::string host;
    /// The scheme's default port if the text has none.
    std::uint16_t port = 0;
    /// Empty, or begins with `/` and does not end with one. Every request's target is appended to
    /// it.
    std::string base_path;

    /// True if the scheme is `https`.
    bool is_secure() const noexcept { return scheme == "https"; }

    /// True if what is sent stays on this machine: the host is `localhost`, an address in
    /// 127.0.0.0/8, or `::1`.
    bool is_loopback() const {
        boost::system::error_code is_name;
        const auto address = boost::asio::ip::make_address(host, is_name);
        return is_name ? host_name() == "localhost" : address.is_loopback();
    }

    /// `scheme://host:port`: the name of the endpoint in messages.
    std::string origin() const { return scheme + "://" + authority(); }

    /// `host:port`.
    std::string authority() const { return bracketed(host) + ":" + std::to_string(port); }

    /// The host without a trailing dot, as in certificates and the names of virtual hosts.
    std::string host_name() const {
        return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
    }

    /// The value of the `Host` header, without the scheme's default port.
    std::string host_header() const {
        std::string text = bracketed(host_name());
        if (port != (is_secure() ? 443 : 80))
            text += ":" + std::to_string(port);
        return text;
    }

    friend bool operator==(const Url&, const Url&) = default;

private:
    static std::string bracketed(const std::string& name) {
        return name.find(':') == std::string::npos ? name : "[" + name + "]";
    }
};

namespace detail {

/// True if the last label of a host is a number, also a hexadecimal one. Such a host is not a name:
/// many resolvers read `127.1`, `2130706433` and `0x7f000001` as 127.0.0.1.
inline bool ends_in_number(std::string_view host) {
    if (host.ends_with('.'))
        host.remove_suffix(1);
    std::string_view label = host.substr(host.rfind('.') + 1);
    if (!label.empty() && std::all_of(label.begin(), label.end(), is_digit))
        return true;
    if (!label.starts_with("0x") && !label.starts_with("0X"))
        return false;
    label.remove_prefix(2);
    return std::all_of(label.begin(), label.end(), is_hex_digit);
}

/// A DNS name or an IPv4 address. Underscores are allowed, because real names have them.
inline bool is_host_name(std::string_view host) {
    if (host.ends_with('.'))
        host.remove_suffix(1);
    if (host.empty() || host.size() > 253)
        return false;
    for (std::string_view rest = host;;) {
        const std::size_t dot = rest.find('.');
        const std::string_view label = rest.substr(0, dot);
        const bool allowed = std::all_of(label.begin(), label.end(), [](char c) {
            return is_digit(c) || is_letter(c) || c == '-' || c == '_';
        });
        if (label.empty() || label.size() > 63 || !allowed)
            return false;
        if (dot == std::string_view::npos)
            break;
        rest.remove_prefix(dot + 1);
    }
    if (ends_in_number(host)) {
        boost::system::error_code failure;
        boost::asio::ip::make_address_v4(std::string(host), failure);
        return !failure;
    }
    return true;
}

/// A path of RFC 3986: its characters, `/`, and complete percent escapes.
inline bool is_path(std::string_view path) {
    constexpr std::string_view punctuation = "/-._~!$&'()*+,;=:@";
    for (std::size_t i = 0; i < path.size(); ++i) {
        const char c = path[i];
        if (c == '%') {
            if (i + 2 >= path.size() || !is_hex_digit(path[i + 1]) || !is_hex_digit(path[i + 2]))
                return false;
            i += 2;
        } else if (!is_digit(c) && !is_letter(c) && punctuation.find(c) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

/// A part of a rejected URL, quoted for a message.
///
/// Empty if the URL contains an `@`, because the part may then belong to a password, and shortened
/// if it is long.
inline std::string quote_part(std::string_view url, std::string_view part) {
    constexpr std::size_t longest = 80;
    if (url.find('@') != std::string_view::npos)
        return "";
    return ", not '" + std::string(part.substr(0, longest)) +
           (part.size() > longest ? "...'" : "'");
}

/// The error of a URL that is rejected, with the part that is wrong.
inline Error rejected_url(std::string_view url, std::string sentence, std::string_view wrong = {}) {
    if (!wrong.empty())
        sentence += quote_part(url, wrong);
    return {Errc::invalid_config, std::move(sentence)};
}

inline std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
    return lower;
}

inline bool is_ipv6_address(std::string_view text) {
    boost::system::error_code failure;
    boost::asio::ip::make_address_v6(std::string(text), failure);
    return !failure && text.find('%') == std::string_view::npos;
}

/// Takes the host from the beginning of a URL's authority, as `Url::host` has it.
inline Result<std::string> take_host(std::string_view url, std::string_view& authority) {
    if (authority.starts_with('[')) {
        const std::size_t bracket = authority.find(']');
        const std::string_view host = authority.substr(1, std::max<std::size_t>(bracket, 1) - 1);
        if (bracket == std::string_view::npos || !is_ipv6_address(host))
            return rejected_url(url, "url must have an IPv6 address without a zone between [ and ]",
                                authority);
        authority.remove_prefix(bracket + 1);
        return lower_case(host);
    }
    const std::string_view host = authority.substr(0, authority.find(':'));
    if (!is_host_name(host) && ends_in_number(host))
        return rejected_url(url,
                            "url has a number as its host; write an IPv4 address as four decimal "
                            "numbers without leading zeros, as in 127.0.0.1",
                            authority);
    if (!is_host_name(host))
        return rejected_url(
            url, "url must have a valid host name or IP address (an IPv6 address in [ ])",
            authority);
    authority.remove_prefix(host.size());
    return lower_case(host);
}

/// The port in `:port`; 0 if it is malformed.
inline std::uint16_t parse_port(std::string_view text) {
    constexpr std::size_t longest = 6;
    if (!text.starts_with(':') || text.size() > longest ||
        !std::all_of(text.begin() + 1, text.end(), is_digit))
        return 0;
    std::uint16_t port = 0;
    const std::from_chars_result parsed =
        std::from_chars(text.data() + 1, text.data() + text.size(), port);
    return parsed.ec == std::errc() ? port : std::uint16_t{0};
}

} // namespace detail

/// Reads `http://host[:port][/base/path]` or the same with `https`.
///
/// Rejects other schemes, credentials, queries, fragments, spaces and control characters, zone ids
/// and port 0 with `Errc::invalid_config`. The message quotes the wrong scheme, host or port. It
/// never repeats what may contain a secret: credentials, the path and the query.
inline Result<Url> parse_url(std::string_view text) {
    const auto reject = [url = text](const char* sentence, std::string_view wrong = {}) {
        return detail::rejected_url(url, sentence, wrong);
    };
    if (!detail::is_visible(text))
        return reject("url must not contain spaces, control characters or non-ASCII characters");
    Url url;
    const std::size_t scheme_end = text.find("://");
    if (scheme_end != std::string_view::npos)
        url.scheme = detail::lower_case(text.substr(0, scheme_end));
    if (url.scheme != "http" && url.scheme != "https")
        return reject("url must begin with http:// or https://",
                      text.substr(0, std::min(scheme_end, text.find_first_of("/?#"))));

    std::string_view path = text.substr(scheme_end + 3);
    std::string_view authority = path.substr(0, path.find_first_of("/?#"));
    path.remove_prefix(authority.size());
    if (authority.find('@') != std::string_view::npos)
        return reject("url must not contain a user name or password; use credentials instead");
    Result<std::string> host = detail::take_host(text, authority);
    if (host.has_error())
        return std::move(host).error();
    url.host = *std::move(host);
    url.port = url.is_secure() ? 443 : 80;
    if (!authority.empty())
        url.port = detail::parse_port(authority);
    if (url.port == 0)
        return reject("url must have a port from 1 to 65535 after the host's colon", authority);

    if (path.find_first_of("?#") != std::string_view::npos)
        return reject("url must not have a query or a fragment");
    if (!detail::is_path(path))
        return reject("url has a path with characters that must be percent-encoded");
    while (path.ends_with('/'))
        path.remove_suffix(1);
    url.base_path = path;
    return url;
}

} // namespace wva_metrics::http
