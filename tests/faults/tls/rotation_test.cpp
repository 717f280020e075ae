// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"
#include "support/tls_server.hpp"
#include "support/tls_trust.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::Response;
using http::TlsConfig;

TEST_CASE("an authority that was replaced is read again within the call whose handshake failed") {
    const Trust old_trust;
    const Trust new_trust;
    asio::io_context context;
    const TlsServer server(context, new_trust.localhost(), {.answer = ok_answer});
    Client client(context.get_executor(), tls_client_config(server.url(), old_trust.config()));
    check_tls_failed(send_request(context, client), "was not accepted");
    CHECK(server.log().connections == 1);
    old_trust.file("ca.pem", new_trust.authority.certificate_pem());
    CHECK(send_request(context, client).has_value());
    CHECK(server.log().connections == 3);
    // Kept, and not made again for each request.
    CHECK(send_request(context, client).has_value());
    CHECK(server.log().connections == 3);
}

TEST_CASE("a client certificate that was replaced is read again within the call that was refused") {
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const Trust trust;
    const Certificate new_authority = Certificate::authority("New client CA");
    asio::io_context context;
    const TlsServer server(context, trust.localhost(),
                           {.answer = ok_answer,
                            .max_version = version,
                            .client_authority_pem = new_authority.certificate_pem()});
    const auto write_identity = [&](const Certificate& identity) {
        TlsConfig config = trust.config();
        config.certificate_file = trust.file("client.pem", identity.certificate_pem());
        config.private_key_file = trust.file("client.key", identity.key_pem());
        return config;
    };
    const TlsConfig config = write_identity(trust.authority.sign({.common_name = "client"}));
    Client client(context.get_executor(), tls_client_config(server.url(), config));
    const Result<Response> refused = send_request(context, client);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().is(Errc::tls_failed));
    CHECK(server.log().connections == 1);
    write_identity(new_authority.sign({.common_name = "client"}));
    CHECK(send_request(context, client).has_value());
    CHECK(server.log().connections == 3);
}

TEST_CASE("a certificate that stays wrong is tried once per call") {
    const Trust trust;
    const Trust other;
    asio::io_context context;
    const TlsServer server(context, other.localhost(), {.answer = ok_answer});
    Client client(context.get_executor(), tls_client_config(server.url(), trust.config()));
    for (std::size_t calls = 1; calls <= 3; ++calls) {
        check_tls_failed(send_request(context, client), "was not accepted");
        CHECK(server.log().connections == calls);
    }
    // Replaced by one that is wrong too: one connection more, not an endless loop.
    trust.file("ca.pem", Certificate::authority("Third CA").certificate_pem());
    check_tls_failed(send_request(context, client), "was not accepted");
    CHECK(server.log().connections == 5);
}

TEST_CASE("half-written files do not disturb calls until max_stale_files, and are named after it") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(context, trust.localhost(),
                           {.answer = ok_answer, .cut_after_answer = true});
    TlsConfig config = trust.config();
    config.reload_interval = 0s;
    const bool is_too_old = GENERATE(false, true);
    config.max_stale_files = is_too_old ? 0s : 1h;
    Client client(context.get_executor(), tls_client_config(server.url(), config));
    CHECK(send_request(context, client).has_value());
    trust.file("ca.pem", trust.authority.certificate_pem().substr(0, 100));
    const Result<Response> response = send_request(context, client);
    CHECK(response.has_value() == !is_too_old);
    if (!response) {
        CHECK(response.error().is(Errc::invalid_config));
        CHECK(response.error().endpoint == client.endpoint());
        CHECK(response.error().message.find(trust.ca_file + " cannot be used: ") !=
              std::string::npos);
    }
    trust.file("ca.pem", trust.authority.certificate_pem());
    CHECK(send_request(context, client).has_value());
}
