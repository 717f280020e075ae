// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/certificates.hpp"
#include "support/http_calls.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <string>
#include <utility>

namespace wva_metrics::test_support {

/// An authority, with a directory for its certificates.
struct Trust {
    TemporaryDirectory directory;
    Certificate authority = Certificate::authority("Test CA");
    std::string ca_file = file("ca.pem", authority.certificate_pem());

    std::string file(const std::string& name, const std::string& text) const {
        return write_file(directory.path() / name, text);
    }
    /// Trusts only this authority.
    http::TlsConfig config() const { return {.ca_file = ca_file}; }
    Certificate localhost() const {
        return authority.sign({.common_name = "localhost", .alternative_names = "DNS:localhost"});
    }
};

inline http::ClientConfig tls_client_config(std::string url, http::TlsConfig tls) {
    http::ClientConfig config;
    config.url = std::move(url);
    config.transport = http::make_tls_transport(std::move(tls)).value();
    return config;
}

/// Sends one request with a client of its own.
inline Result<http::Response> send_request_once(boost::asio::io_context& context, std::string url,
                                                http::TlsConfig tls) {
    http::Client client(context.get_executor(), tls_client_config(std::move(url), std::move(tls)));
    return send_request(context, client);
}

/// Checks that a call failed with `Errc::tls_failed` and this reason.
inline void check_tls_failed(const Result<http::Response>& response, const std::string& reason) {
    REQUIRE_FALSE(response.has_value());
    CAPTURE(response.error().message);
    CHECK(response.error().is(Errc::tls_failed));
    CHECK(response.error().message.find(reason) != std::string::npos);
}

} // namespace wva_metrics::test_support
