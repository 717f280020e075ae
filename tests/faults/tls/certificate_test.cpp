// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"
#include "support/tls_server.hpp"
#include "support/tls_trust.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using http::Client;
using http::ClientConfig;
using http::Response;
using http::TlsConfig;

namespace {

/// Resolves every name to this machine.
class LocalNames final : public http::Transport {
public:
    explicit LocalNames(std::shared_ptr<http::Transport> inner) : inner_(std::move(inner)) {}
    std::string_view scheme() const noexcept override { return inner_->scheme(); }
    std::unique_ptr<http::Stream> make_stream(const asio::any_io_executor& executor) override {
        return inner_->make_stream(executor);
    }
    void resolve(const asio::any_io_executor& executor, const std::string&, std::uint16_t port,
                 ResolveHandler handler) override {
        asio::post(executor, [port, handler = std::move(handler)] {
            handler({}, {{asio::ip::address_v4::loopback(), port}});
        });
    }

private:
    std::shared_ptr<http::Transport> inner_;
};

} // namespace

TEST_CASE("a certificate of a trusted authority for the server's name is accepted") {
    const Trust trust;
    asio::io_context context;
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const TlsServer server(context, trust.localhost(),
                           {.answer = ok_answer, .max_version = version});
    Client client(context.get_executor(),
                  tls_client_config(server.url() + "/base", trust.config()));
    for (int i = 0; i < 3; ++i) {
        const Result<Response> response = send_request(context, client);
        REQUIRE(response.has_value());
        CHECK(response->body == "{}");
    }
    CHECK(server.log().connections == 1);
    CHECK(server.log().requests == 3);
    CHECK(server.log().server_names.at(0) == "localhost");
    CHECK(server.log().protocols.at(0) == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
    CHECK(client.idle_connections() == 1);
}

TEST_CASE("a trailing dot in the URL's host is not part of the name in a certificate") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(context, trust.localhost(), {.answer = ok_answer});
    ClientConfig config = tls_client_config(server.url("LocalHost."), trust.config());
    config.transport = std::make_shared<LocalNames>(config.transport);
    Client client(context.get_executor(), config);
    CHECK(send_request(context, client).has_value());
    CHECK(server.log().server_names.at(0) == "localhost");
}

TEST_CASE("an IP address must be among the certificate's IP addresses, and is not sent by SNI") {
    const Trust trust;
    asio::io_context context;
    const Certificate identity =
        trust.authority.sign({.common_name = "x", .alternative_names = "IP:127.0.0.1"});
    const TlsServer server(context, identity, {.answer = ok_answer});
    CHECK(send_request_once(context, server.url("127.0.0.1"), trust.config()).has_value());
    CHECK(server.log().server_names.at(0).empty());
}

TEST_CASE("a wildcard matches exactly one label") {
    const Trust trust;
    asio::io_context context;
    const Certificate identity =
        trust.authority.sign({.common_name = "x", .alternative_names = "DNS:*.example.org"});
    const TlsServer server(context, identity, {.answer = ok_answer});
    TlsConfig config = trust.config();
    config.server_name = "a.example.org";
    CHECK(send_request_once(context, server.url(), config).has_value());
    config.server_name = "a.b.example.org";
    check_tls_failed(send_request_once(context, server.url(), config), "hostname mismatch");
    config.server_name = "example.org";
    check_tls_failed(send_request_once(context, server.url(), config), "hostname mismatch");
}

TEST_CASE("a certificate for another host is rejected, also if a trusted authority signed it") {
    const Trust trust;
    asio::io_context context;
    const auto [names, host, reason] = GENERATE(table<std::string, std::string, std::string>({
        {"DNS:other.example", "localhost", "hostname mismatch"},
        {"DNS:localhost", "127.0.0.1", "IP address mismatch"},
        {"IP:127.0.0.2", "127.0.0.1", "IP address mismatch"},
        {"DNS:127.0.0.1", "127.0.0.1", "IP address mismatch"},
        // The common name is localhost, but the common name is ignored.
        {"", "localhost", "hostname mismatch"},
    }));
    CAPTURE(names, host);
    const Certificate identity =
        trust.authority.sign({.common_name = "localhost", .alternative_names = names});
    const TlsServer server(context, identity, {.answer = ok_answer});
    check_tls_failed(send_request_once(context, server.url(host), trust.config()), reason);
    CHECK(server.log().requests == 0);
}

TEST_CASE("an expired certificate is rejected") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(
        context,
        trust.authority.sign(
            {.common_name = "localhost", .alternative_names = "DNS:localhost", .is_expired = true}),
        {.answer = ok_answer});
    check_tls_failed(send_request_once(context, server.url(), trust.config()), "expired");
    CHECK(server.log().requests == 0);
}

TEST_CASE("a certificate of an unknown authority is rejected") {
    const Trust trust;
    const Trust other;
    asio::io_context context;
    const TlsServer server(context, other.localhost(), {.answer = ok_answer});
    SECTION("with a configured authority") {
        check_tls_failed(send_request_once(context, server.url(), trust.config()), "certificate");
    }
    SECTION("with the system's authorities") {
        check_tls_failed(send_request_once(context, server.url(), {}), "certificate");
    }
    CHECK(server.log().requests == 0);
}

TEST_CASE("insecure_accept_any_certificate accepts any certificate") {
    const Trust other;
    asio::io_context context;
    const TlsServer server(
        context,
        other.authority.sign(
            {.common_name = "x", .alternative_names = "DNS:other.example", .is_expired = true}),
        {.answer = ok_answer});
    CHECK(send_request_once(context, server.url(), {.insecure_accept_any_certificate = true})
              .has_value());
}
