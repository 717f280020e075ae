// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"
#include "support/tls_server.hpp"
#include "support/tls_trust.hpp"
#include "wva_metrics/http/tcp_transport.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::ClientConfig;
using http::make_tls_transport;
using http::Response;
using http::TlsConfig;

TEST_CASE("a client certificate is sent to a server that requires one") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(
        context, trust.localhost(),
        {.answer = ok_answer, .client_authority_pem = trust.authority.certificate_pem()});
    TlsConfig config = trust.config();
    SECTION("configured") {
        const Certificate identity = trust.authority.sign({.common_name = "client"});
        config.certificate_file = trust.file("client.pem", identity.certificate_pem());
        config.private_key_file = trust.file("client.key", identity.key_pem());
        CHECK(send_request_once(context, server.url(), config).has_value());
    }
    SECTION("missing") {
        // With TLS 1.3 the server rejects it after the handshake.
        const Result<Response> response = send_request_once(context, server.url(), config);
        check_tls_failed(response, "certificate required");
    }
}

TEST_CASE("files that cannot be used are an error with OpenSSL's reason") {
    const Trust trust;
    const Certificate identity = trust.authority.sign({.common_name = "client"});
    const Certificate stranger = trust.authority.sign({.common_name = "stranger"});
    const std::string certificate = trust.file("client.pem", identity.certificate_pem());
    const std::string key = trust.file("client.key", identity.key_pem());
    const std::string garbage = trust.file("garbage.pem", "garbage");
    const std::string other_key = trust.file("stranger.key", stranger.key_pem());
    const std::string locked_key = trust.file("locked.key", identity.locked_key_pem("x"));
    const std::vector<std::pair<TlsConfig, std::string>> cases{
        {TlsConfig{.ca_file = "/no/such/file"}, "tls.ca_file /no/such/file"},
        {TlsConfig{.ca_file = garbage}, "tls.ca_file"},
        {TlsConfig{.certificate_file = garbage, .private_key_file = key}, "tls.certificate_file"},
        {TlsConfig{.certificate_file = certificate, .private_key_file = garbage},
         "tls.private_key_file"},
        {TlsConfig{.certificate_file = certificate, .private_key_file = other_key},
         "tls.private_key_file"},
        {TlsConfig{.certificate_file = certificate, .private_key_file = locked_key},
         "tls.private_key_file"},
        {TlsConfig{.certificate_file = certificate}, "must be set together"},
        {TlsConfig{.private_key_file = key}, "must be set together"},
        {TlsConfig{.ca_file = trust.ca_file, .insecure_accept_any_certificate = true},
         "tls.insecure_accept_any_certificate"},
        {TlsConfig{.reload_interval = -1s}, "tls.reload_interval"},
        {TlsConfig{.max_stale_files = -1s}, "tls.max_stale_files"},
    };
    for (const auto& [config, name] : cases) {
        CAPTURE(name);
        const Result<std::shared_ptr<http::Transport>> transport = make_tls_transport(config);
        REQUIRE_FALSE(transport.has_value());
        CHECK(transport.error().is(Errc::invalid_config));
        CAPTURE(transport.error().message);
        CHECK(transport.error().message.find(name) != std::string::npos);
    }
}

TEST_CASE("replaced files are read again, and invalid ones are ignored") {
    const Trust trust;
    const Trust next;
    asio::io_context context;
    const TlsServer before(context, trust.localhost(), {.answer = ok_answer});
    const TlsServer after(context, next.localhost(), {.answer = ok_answer});
    TlsConfig config = trust.config();
    config.reload_interval = 0s;
    const auto transport = make_tls_transport(config).value();
    Client old_client(context.get_executor(), {.url = before.url(), .transport = transport});
    Client new_client(context.get_executor(), {.url = after.url(), .transport = transport});
    CHECK(send_request(context, old_client).has_value());
    CHECK_FALSE(send_request(context, new_client).has_value());

    const std::filesystem::path path = trust.ca_file;
    const auto written_at = std::filesystem::last_write_time(path);
    const auto replace = [&](const std::string& text, std::chrono::seconds later) {
        trust.file("ca.pem", text);
        // The clocks of file systems are coarse.
        std::filesystem::last_write_time(path, written_at + later);
    };
    replace("half writ", 1s);
    Client still(context.get_executor(), {.url = before.url(), .transport = transport});
    CHECK(send_request(context, still).has_value());
    replace(next.authority.certificate_pem(), 2s);
    CHECK(send_request(context, new_client).has_value());
    Client too_late(context.get_executor(), {.url = before.url(), .transport = transport});
    CHECK_FALSE(send_request(context, too_late).has_value());
}

TEST_CASE("a TLS transport requires an https URL, and a plain one an http URL") {
    CHECK(validate(ClientConfig{.url = "https://h", .transport = make_tls_transport({}).value()})
              .empty());
    CHECK(validate(ClientConfig{.url = "http://h", .transport = make_tls_transport({}).value()})
              .size() == 1);
    CHECK(validate(
              ClientConfig{.url = "https://h", .transport = std::make_shared<http::TcpTransport>()})
              .size() == 1);
}
