// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/decompressor.hpp"
#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/protection_config.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::http {

/// How long each step of one attempt may take. A step's time is absolute: a server that sends a
/// byte now and then does not extend it.
struct Timeouts {
    /// Resolving the host name.
    Duration resolve = std::chrono::seconds(2);
    /// Connecting by TCP; divided evenly among the host's addresses.
    Duration connect = std::chrono::seconds(2);
    /// The TLS handshake, if there is one.
    Duration tls_handshake = std::chrono::seconds(5);
    /// The whole attempt, from leaving the queue to the last byte of the answer, or to the header
    /// of a streamed answer.
    Duration attempt = std::chrono::seconds(5);
    /// Asking the token provider, if there is one; not bounded by `attempt`.
    Duration token = std::chrono::seconds(5);
    /// How long resolved addresses are used before the name is resolved again. They are dropped
    /// early if connecting to each of them fails.
    Duration address_lifetime = std::chrono::seconds(30);
    /// An address that failed (no connection, no answer in time, a broken connection, or status 502
    /// to 504) is avoided for this long while another address of the host is healthy. Doubles with
    /// each further failure. Then one call tries it again, and still has three quarters of its time
    /// for another address. 5 s as in the circuit breakers of Envoy and Thanos.
    Duration address_retry = std::chrono::seconds(5);
    /// The longest such pause.
    Duration max_address_retry = std::chrono::seconds(60);
};

/// Limits of sizes and numbers.
struct Limits {
    /// Status line and headers of an answer.
    std::size_t max_header_bytes = std::size_t{16} << 10;
    /// Bytes that are received but not parsed yet; limits headers, chunk extensions and trailers.
    std::size_t max_buffer_bytes = std::size_t{64} << 10;
    /// Body of an answer that is not streamed, both as received and decompressed.
    std::size_t max_body_bytes = std::size_t{8} << 20;
    /// Interim (1xx) answers before the real one.
    std::size_t max_informational = 8;
    /// Requests in flight, each on a connection of its own; streams are not counted.
    std::size_t max_connections = 10;
    /// Open streams, each on a connection of its own.
    std::size_t max_streams = 32;
    /// Idle connections that are kept, each with a buffer of at most `max_buffer_bytes`. 0 = none.
    /// If there are fewer than requests in flight at a time (`max_connections`), connections are
    /// closed that the next requests must open again; so the default is more than most programs use.
    std::size_t max_idle = 64;
    /// Calls that wait for a connection.
    std::size_t max_queued = 1000;
    /// Addresses of the host that are tried.
    std::size_t max_addresses = 8;
    /// Redirects of one call that are followed, at most 3; 0 = none, the 3xx answer is the result.
    /// Only to the same scheme, host and port, and not those that turn a POST into a GET.
    std::size_t max_redirects = 0;
    /// A connection that was idle for longer is not used again.
    Duration idle_timeout = std::chrono::seconds(60);
};

/// A field to be sent with every request.
struct Header {
    /// Its name, a token.
    std::string name;
    /// Its value, without control characters.
    std::string value;
};

/// The configuration of a client. Plain values; use designated initializers and check with
/// `validate`.
struct ClientConfig {
    /// `http://host:port/base/path`; see `parse_url`.
    std::string url{};
    /// How long each step may take.
    Timeouts timeouts{};
    /// Limits of sizes and numbers.
    Limits limits{};
    /// The client's credentials.
    Credentials credentials{};
    /// How long the last good token stays in use while the token file is missing, empty or
    /// half-written. After that calls fail with an error that names the file and the reason. An hour
    /// is the usual life of a token that Kubernetes mounts.
    Duration max_stale_token_file = std::chrono::hours(1);
    /// Allows credentials together with an `http` URL: everybody between client and server can then
    /// read and use them. Not needed if the host is this machine, such as a sidecar (see
    /// `Url::is_loopback`): then nothing leaves it.
    bool allow_credentials_without_tls = false;
    /// Sent with every request, e.g. a tenant id. Also without TLS, so secrets belong into
    /// `credentials`.
    std::vector<Header> headers{};
    /// Null = plain TCP. An `https` URL needs a TLS transport (http/tls.hpp).
    std::shared_ptr<Transport> transport{};
    /// The compression that is offered to the server (http/gzip.hpp); null = none. It is not
    /// offered for streams.
    std::shared_ptr<const Decompressor> decompressor{};
    /// What protects the endpoint from its callers, and them from an endpoint in trouble: retries,
    /// circuit breaker, adaptive concurrency. `limits.max_connections` is the highest concurrency.
    resilience::ProtectionConfig protection{};
    /// Whether an answer that counts as a failure of the endpoint (408, 425, 429, 5xx except 501) is
    /// about the request itself: the same request would fail again, and another would not. For APIs
    /// that say so in the body. Such an answer is not retried, and does not count. May be empty; called
    /// on the client's executor, possibly on several threads at once.
    std::function<bool(const Response&)> is_about_request{};
};

namespace detail {

/// A token of RFC 9110.
inline bool is_header_name(std::string_view name) noexcept {
    constexpr std::string_view punctuation = "!#$%&'*+-.^_`|~";
    return !name.empty() && name.size() <= 256 &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return is_digit(c) || is_letter(c) || punctuation.find(c) != std::string_view::npos;
           });
}

/// No control characters: they could smuggle in another header or request.
inline bool is_header_value(std::string_view value) noexcept {
    return value.size() <= (std::size_t{8} << 10) && !has_control(value);
}

/// Headers that the client writes itself, because they frame the message or select the server.
inline bool is_reserved_header(std::string_view name) {
    constexpr std::array<std::string_view, 15> reserved{"host",
                                                        "content-length",
                                                        "transfer-encoding",
                                                        "connection",
                                                        "keep-alive",
                                                        "te",
                                                        "trailer",
                                                        "upgrade",
                                                        "expect",
                                                        "accept-encoding",
                                                        "range",
                                                        "content-type",
                                                        "proxy-authorization",
                                                        "proxy-connection",
                                                        "user-agent"};
    return std::any_of(reserved.begin(), reserved.end(),
                       [&](std::string_view known) { return equals_ignoring_case(known, name); });
}

} // namespace detail

/// All problems of a configuration, one sentence each, without secrets; empty if it is valid.
inline std::vector<std::string> validate(const ClientConfig& config) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, std::string sentence) {
        if (!holds)
            problems.push_back(std::move(sentence));
    };

    const Result<Url> url = parse_url(config.url);
    if (url) {
        const std::string_view served = config.transport ? config.transport->scheme() : "http";
        require(url->scheme == served, url->is_secure()
                                           ? "an https url needs a TLS transport (see http/tls.hpp)"
                                           : "an http url cannot be served by a TLS transport");
    } else {
        problems.push_back(url.error().message);
    }

    const Timeouts& timeouts = config.timeouts;
    const auto require_timeout = [&](Duration value, const char* name) {
        require(value > Duration::zero() && value <= std::chrono::hours(24),
                std::string(name) + " must be positive and at most a day");
    };
    require_timeout(timeouts.resolve, "timeouts.resolve");
    require_timeout(timeouts.connect, "timeouts.connect");
    require_timeout(timeouts.tls_handshake, "timeouts.tls_handshake");
    require_timeout(timeouts.attempt, "timeouts.attempt");
    require_timeout(timeouts.token, "timeouts.token");
    require(timeouts.address_lifetime >= Duration::zero(),
            "timeouts.address_lifetime must not be negative");
    require_timeout(timeouts.address_retry, "timeouts.address_retry");
    require_timeout(timeouts.max_address_retry, "timeouts.max_address_retry");
    require(timeouts.address_retry <= timeouts.max_address_retry,
            "timeouts.address_retry must not exceed timeouts.max_address_retry");

    const Limits& limits = config.limits;
    require(limits.max_header_bytes >= 1024, "limits.max_header_bytes must be at least 1024");
    require(limits.max_header_bytes <= (std::size_t{16} << 20),
            "limits.max_header_bytes must be at most 16 MiB");
    require(limits.max_buffer_bytes >= limits.max_header_bytes,
            "limits.max_buffer_bytes must not be below limits.max_header_bytes");
    require(limits.max_body_bytes > 0, "limits.max_body_bytes must be positive");
    require(limits.max_connections > 0, "limits.max_connections must be positive");
    require(limits.max_streams > 0, "limits.max_streams must be positive");
    require(limits.max_addresses > 0, "limits.max_addresses must be positive");
    require(limits.max_redirects <= 3, "limits.max_redirects must be at most 3");
    require(limits.idle_timeout >= Duration::zero(), "limits.idle_timeout must not be negative");

    for (const std::string& problem : resilience::validate(config.protection))
        problems.push_back("protection." + problem);

    if (config.decompressor) {
        const std::string_view coding = config.decompressor->coding();
        require(detail::is_header_name(coding) && !detail::equals_ignoring_case(coding, "identity"),
                "decompressor must return the name of a content coding other than identity");
    }

    if (std::string problem = config.credentials.problem(); !problem.empty())
        problems.push_back(std::move(problem));
    else if (config.credentials.kind() != Credentials::Kind::none && url && !url->is_secure())
        require(url->is_loopback() || config.allow_credentials_without_tls,
                "credentials would be sent without encryption: use an https url, or set "
                "allow_credentials_without_tls if the network is trusted");
    require(config.max_stale_token_file >= Duration::zero(),
            "max_stale_token_file must not be negative");

    for (std::size_t i = 0; i < config.headers.size(); ++i) {
        const Header& header = config.headers[i];
        const std::string which = "headers[" + std::to_string(i) + "]";
        if (!detail::is_header_name(header.name)) {
            problems.push_back(which + " must have a name of letters, digits and -");
            continue;
        }
        require(!detail::is_reserved_header(header.name),
                which + ": " + header.name + " is written by the client itself");
        require(!detail::equals_ignoring_case(header.name, "authorization"),
                which + ": use credentials instead of an Authorization header");
        require(detail::is_header_value(header.value),
                which + ": the value of " + header.name +
                    " must not contain control characters or exceed 8 KiB");
    }
    return problems;
}

} // namespace wva_metrics::http
