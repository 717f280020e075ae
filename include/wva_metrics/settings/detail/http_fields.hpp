// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/tls_config.hpp"
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
    list.add("idle_timeout", limits.idle_timeout,
             "A connection that is idle for longer is not used again.");
}

inline void describe_fields(FieldList list, http::ClientConfig& client) {
    list.add("url", client.url,
             "URL of Prometheus: `http://host:port/base/path`, or `https`; without user and "
             "password.",
             Secrecy::url);
    describe_fields(list.group("timeouts"), client.timeouts);
    describe_fields(list.group("limits"), client.limits);
    list.add("credentials", client.credentials,
             "Authentication: one of `{\"token_file\": \"path\"}` (read again when it "
             "changes), `{\"token\": \"…\"}`, `{\"user\": \"…\", \"password\": \"…\"}`.");
    list.add("headers", client.headers,
             "Sent with every request, e.g. the name of a tenant. The values are not shown.");
}

inline void describe_fields(FieldList list, http::TlsConfig& tls) {
    list.add("ca_file", tls.ca_file,
             "PEM file of the trusted authorities; empty = those of the system.");
    list.add("certificate_file", tls.certificate_file,
             "PEM file of the client's certificate chain.");
    list.add("private_key_file", tls.private_key_file, "PEM file of the client's key.");
    list.add("server_name", tls.server_name,
             "Name or IP address in the server's certificate; empty = the URL's host.");
    list.add("reload_interval", tls.reload_interval,
             "The files are checked for changes by a new connection, at most once per interval.");
    list.add("insecure_accept_any_certificate", tls.insecure_accept_any_certificate,
             "Disables the protection of TLS: anybody between client and server can read and "
             "change everything.");
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
