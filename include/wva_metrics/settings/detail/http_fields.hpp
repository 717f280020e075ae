// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/proxy_config.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/resilience/protection_config.hpp"
#include "wva_metrics/settings/detail/field.hpp"

#include <string>
#include <utility>

// The fields of the HTTP client. See settings_fields.hpp.

namespace wva_metrics::detail {

inline void describe_fields(FieldList list, http::Timeouts& timeouts) {
    list.add("resolve", timeouts.resolve, "Name resolution.");
    list.add("connect", timeouts.connect,
             "TCP connection, for all addresses of the host together.");
    list.add("tls_handshake", timeouts.tls_handshake, "TLS handshake.");
    list.add("attempt", timeouts.attempt,
             "One request, from the free connection to the last byte of the answer.");
    list.add("token", timeouts.token, "Asking a token provider that the program has set.");
    list.add("address_lifetime", timeouts.address_lifetime,
             "How long addresses are used before the name is resolved again.");
    list.add(
        "address_retry", timeouts.address_retry,
        "How long an address that failed is avoided, if the host has another one; doubles with "
        "each further failure.");
    list.add("max_address_retry", timeouts.max_address_retry, "The longest such pause.");
}

inline void describe_fields(FieldList list, http::Limits& limits) {
    list.add("max_header_bytes", limits.max_header_bytes,
             "Status line and headers of an answer, in bytes.");
    list.add("max_buffer_bytes", limits.max_buffer_bytes,
             "Bytes received but not yet parsed: limits headers, chunk extensions, trailers.");
    list.add("max_body_bytes", limits.max_body_bytes, "Body of an answer, in bytes.");
    list.add("max_informational", limits.max_informational,
             "Interim (1xx) answers before the real one.");
    list.add("max_connections", limits.max_connections, "Requests in flight.");
    list.add("max_streams", limits.max_streams, "Open streamed answers; Prometheus uses none.");
    list.add(
        "max_idle", limits.max_idle,
        "Idle connections that are kept. If there are fewer than requests in flight at a time, "
        "connections are opened again and again.");
    list.add("max_queued", limits.max_queued, "Calls that wait for a connection.");
    list.add("max_addresses", limits.max_addresses, "Addresses of the host that are tried.");
    list.add("max_redirects", limits.max_redirects,
             "Redirects to the same server that are followed, at most 3.");
    list.add("idle_timeout", limits.idle_timeout,
             "A connection that is idle for longer is not used again.");
}

inline void describe_fields(FieldList list, resilience::ProtectionConfig& protection) {
    FieldList retry = list.group("retry");
    retry.add("attempts", protection.retry.attempts,
              "How often a request is sent in all if it fails in a way that may pass; 1 = once.");
    retry.add("first_backoff", protection.retry.first_backoff,
              "The longest random wait before the second attempt; doubles with each further one.");
    retry.add("max_backoff", protection.retry.max_backoff, "The longest wait before any attempt.");
    retry.add("min_time", protection.retry.min_time,
              "An attempt that would have less time before its deadline is not begun.");
    FieldList budget = list.group("retry_budget");
    budget.add("max_tokens", protection.retry_budget.max_tokens,
               "A retry costs a token; half of them can be spent in a burst.");
    budget.add("tokens_per_success", protection.retry_budget.tokens_per_success,
               "Tokens that a success adds.");
    FieldList breaker = list.group("breaker");
    breaker.add("enabled", protection.breaker.enabled,
                "Whether a server that keeps failing is left alone for a while.");
    breaker.add("consecutive_failures", protection.breaker.consecutive_failures,
                "Failures in a row after which it is left alone.");
    breaker.add("window", protection.breaker.window,
                "The number of last requests whose failures are counted, at most 64.");
    breaker.add("failure_rate", protection.breaker.failure_rate,
                "It is left alone also if this share of the window failed.");
    breaker.add("first_pause", protection.breaker.first_pause,
                "The time until one request is tried; doubles with each that fails.");
    breaker.add("max_pause", protection.breaker.max_pause, "The longest such time.");
    breaker.add("successes_to_close", protection.breaker.successes_to_close,
                "Successes in a row after which it is used as before.");
    FieldList concurrency = list.group("concurrency");
    concurrency.add("adaptive", protection.concurrency.adaptive,
                    "Whether fewer requests are in flight after failures.");
    concurrency.add("decrease", protection.concurrency.decrease,
                    "The share of them that is left after a failure.");
    FieldList hedging = list.group("hedging");
    hedging.add("enabled", protection.hedging.enabled,
                "Whether a slow request is sent a second time; the first answer counts.");
    hedging.add("quantile", protection.hedging.quantile,
                "A request is slow if it takes longer than this share of the last ones.");
    hedging.add("max_share", protection.hedging.max_share,
                "At most this share of the requests is sent a second time.");
    hedging.add("min_delay", protection.hedging.min_delay,
                "No request is sent a second time earlier than this.");
    list.add("max_retry_after", protection.max_retry_after,
             "The longest pause that the server may ask for by `Retry-After`; `0s` = it may not.");
    list.add("slow_after", protection.slow_after,
             "A request that its caller gave up counts as a failure if it lasted this long.");
}

/// How a client proves who it is, and what it sends with every request.
inline void describe_identity(FieldList list, http::ClientConfig& client) {
    list.add("credentials", client.credentials,
             "Authentication: one of `{\"token_file\": \"path\"}` (read again when it "
             "changes), `{\"token\": \"…\"}`, `{\"user\": \"…\", \"password\": \"…\"}`.");
    list.add("max_stale_token_file", client.max_stale_token_file,
             "How long the last good token is used while the token file is missing or unusable.");
    list.add("allow_credentials_without_tls", client.allow_credentials_without_tls,
             "Allows credentials with an `http` URL: everybody on the way can read and use them. "
             "Not needed for a URL of this machine, e.g. `http://localhost`.");
    list.add("headers", client.headers,
             "Sent with every request, e.g. the name of a tenant. The values are not shown.");
}

inline void describe_fields(FieldList list, http::ClientConfig& client) {
    list.add("url", client.url,
             "URL of Prometheus: `http://host:port/base/path`, or `https`; without user and "
             "password.",
             Secrecy::url);
    describe_fields(list.group("timeouts"), client.timeouts);
    describe_fields(list.group("limits"), client.limits);
    describe_fields(list.group("protection"), client.protection);
    describe_identity(list, client);
}

inline void describe_fields(FieldList list, http::TlsConfig& tls) {
    list.add("ca_file", tls.ca_file,
             "PEM file of the trusted authorities; empty = those of the system.");
    list.add("certificate_file", tls.certificate_file,
             "PEM file of the client's certificate chain.");
    list.add("private_key_file", tls.private_key_file, "PEM file of the client's key.");
    list.add("server_name", tls.server_name,
             "Name or IP address in the server's certificate; empty = the URL's host.");
    list.add(
        "reload_interval", tls.reload_interval,
        "The files are checked for changes by a new connection, at most once per interval, and "
        "at once after a failed handshake.");
    list.add("max_stale_files", tls.max_stale_files,
             "How long the last good files are used while those on the disk are missing or "
             "unusable.");
    list.add("insecure_accept_any_certificate", tls.insecure_accept_any_certificate,
             "Disables the protection of TLS: anybody between client and server can read and "
             "change everything.");
}

inline void describe_fields(FieldList list, http::ProxyConfig& proxy) {
    list.add("url", proxy.url, "URL of an HTTP proxy: `http://host:port`; empty = no proxy.",
             Secrecy::url);
    list.add("credentials", proxy.credentials,
             "`{\"user\": \"…\", \"password\": \"…\"}` for the proxy, sent without encryption.");
    list.add("no_proxy", proxy.no_proxy,
             "Reached without the proxy: hosts with those below them, `.domains`, addresses, "
             "networks, each with a port if any, or `*`.");
}

inline void describe_fields(FieldList list, http::Header& header) {
    list.add("name", header.name, "Name of the header.");
    list.add("value", header.value, "Its value.", Secrecy::secret);
}

inline void describe_fields(FieldList list, std::pair<std::string, std::string>& parameter) {
    list.add("name", parameter.first, "Name of the parameter.");
    list.add("value", parameter.second, "Its value.", Secrecy::secret);
}

/// The fields of credentials in a document; at most one kind is set.
struct CredentialsText {
    std::string token_file;
    std::string token;
    std::string user;
    std::string password;
};

inline void describe_fields(FieldList list, CredentialsText& text) {
    list.add("token_file", text.token_file,
             "File with a bearer token. It is read again every minute, and when it is rejected.");
    list.add("token", text.token, "A bearer token that never changes.", Secrecy::secret);
    list.add("user", text.user, "User name, sent with the password.");
    list.add("password", text.password, "Password of `user`.", Secrecy::secret);
}

} // namespace wva_metrics::detail
