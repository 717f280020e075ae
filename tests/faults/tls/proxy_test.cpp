// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/proxy.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/http_calls.hpp"
#include "support/protections.hpp"
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "support/tls_server.hpp"
#include "support/tls_trust.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::ClientConfig;
using http::Credentials;
using http::make_proxy_transport;
using http::ProxyConfig;
using http::Response;

namespace {

/// Connects every client to this port of the machine, whatever host the client names.
ScriptedServer::Script connect_to(std::uint16_t port) {
    return [port](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send("HTTP/1.1 200 Connection established\r\n\r\n");
        co_await peer->relay_to(port);
    };
}

/// The configuration of a client of a server that is not on this machine.
ClientConfig behind_proxy(const ScriptedServer& proxy, std::string url = "http://server.test:9090",
                          Credentials credentials = {}) {
    ClientConfig config;
    config.url = std::move(url);
    config.protection = unprotected;
    config.transport =
        make_proxy_transport({.url = proxy.url(), .credentials = std::move(credentials)}).value();
    return config;
}

std::string refusal_of(ScriptedServer::Script script) {
    asio::io_context context;
    const ScriptedServer proxy(context, {std::move(script)});
    ClientConfig config = behind_proxy(proxy, "http://server.test:9090",
                                       Credentials::basic("user", secret_proxy_password));
    config.credentials = Credentials::bearer(secret_token);
    config.allow_credentials_without_tls = true;
    Client client(context.get_executor(), config);
    const Result<Response> response = send_request(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::unreachable));
    CHECK(response.error().endpoint == "http://server.test:9090");
    const std::string begin =
        "no connection was established through the proxy " + proxy.url() + ": ";
    CAPTURE(response.error().message);
    CHECK(response.error().message.starts_with(begin));
    CHECK(client.idle_connections() == 0);
    // Nothing but CONNECT reaches a proxy that does not connect.
    for (const std::string& request : proxy.requests())
        CHECK(request.find(secret_token) == std::string::npos);
    return response.error().message.substr(begin.size());
}

} // namespace

TEST_CASE("TLS goes through a proxy, which sees nothing of it") {
    const Trust trust;
    asio::io_context context;
    const Certificate identity =
        trust.authority.sign({.common_name = "x", .alternative_names = "DNS:server.test"});
    const TlsServer server(context, identity, {.answer = ok_answer});
    const std::string port = server.url().substr(server.url().rfind(':') + 1);
    const ScriptedServer proxy(context, {connect_to(static_cast<std::uint16_t>(std::stoi(port)))});
    ClientConfig config = tls_client_config("https://server.test:" + port, trust.config());
    config.credentials = Credentials::bearer(secret_token);
    config.transport =
        make_proxy_transport({.url = proxy.url(),
                              .credentials = Credentials::basic("Aladdin", secret_proxy_password)},
                             config.transport)
            .value();
    Client client(context.get_executor(), config);
    for (int i = 0; i < 3; ++i)
        CHECK(send_request(context, client)->body == "{}");
    CHECK(server.log().connections == 1);
    CHECK(server.log().server_names.at(0) == "server.test");
    REQUIRE(proxy.requests().size() == 1);
    CHECK(proxy.requests()[0].starts_with("CONNECT server.test:" + port +
                                          " HTTP/1.1\r\nHost: server.test:" + port + "\r\n"));
    const std::string sent = http::detail::encode_base64("Aladdin:" + secret_proxy_password);
    CHECK(proxy.requests()[0].find("\r\nProxy-Authorization: Basic " + sent + "\r\n") !=
          std::string::npos);
    CHECK(proxy.requests()[0].find(secret_token) == std::string::npos);
}

TEST_CASE("a proxy cannot pretend to be the server") {
    const Trust trust;
    const Trust stranger;
    asio::io_context context;
    const TlsServer impostor(context, stranger.localhost(), {.answer = ok_answer});
    const std::string port = impostor.url().substr(impostor.url().rfind(':') + 1);
    const ScriptedServer proxy(context, {connect_to(static_cast<std::uint16_t>(std::stoi(port)))});
    ClientConfig config = tls_client_config("https://server.test", trust.config());
    config.transport = make_proxy_transport({.url = proxy.url()}, config.transport).value();
    Client client(context.get_executor(), config);
    check_tls_failed(send_request(context, client), "was not accepted");
    CHECK(proxy.requests().at(0).starts_with("CONNECT server.test:443 HTTP/1.1\r\n"));
    CHECK(impostor.log().requests == 0);
}

TEST_CASE("plain HTTP goes through a proxy by CONNECT too, and the own machine does not") {
    asio::io_context context;
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    const ScriptedServer proxy(context, {connect_to(server.port())});
    Client client(context.get_executor(), behind_proxy(proxy, "http://[2001:db8::1]"));
    CHECK(send_request(context, client)->body == "{}");
    CHECK(proxy.requests().at(0).starts_with(
        "CONNECT [2001:db8::1]:80 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n"));
    CHECK(server.requests().at(0).starts_with("GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n"));
    Client own_machine(context.get_executor(), behind_proxy(proxy, server.url()));
    CHECK(send_request(context, own_machine)->body == "{}");
    CHECK(proxy.connections() == 1);
}

TEST_CASE("a proxy that refuses is an error that says why") {
    CHECK(refusal_of(answer_and_close("HTTP/1.1 407 Proxy Authentication Required\r\n"
                                      "Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"))
              .find("it answered HTTP 407: it requires a user and a password") == 0);
    CHECK(refusal_of(answer_and_close("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>")) ==
          "it answered HTTP 502: it could not reach the server");
}

TEST_CASE("a proxy that does not speak HTTP, or without end, is an error and not taken for one") {
    CHECK(refusal_of(answer_and_close("SSH-2.0-OpenSSH_9.2\r\n")) == "it did not answer in HTTP/1");
    CHECK(refusal_of(answer_and_close("HTTP/1.1 200 OK\r\n")) ==
          "it closed the connection before its answer was complete");
    CHECK(refusal_of(answer_and_close("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n"
                                      "Content-Length: 4\r\n\r\nevil")) ==
          "it sent more than the header of its answer");
    std::size_t sent = 0;
    CHECK(refusal_of([&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
              co_await peer->read_request();
              co_await peer->send("HTTP/1.1 200 OK\r\n");
              sent = co_await peer->send_without_end("X: " + std::string(1000, 'x') + "\r\n");
          }) == "it sent a header larger than 16 KiB");
    CHECK(refusal_of([](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
              co_await peer->read_request();
              peer->reset();
          }) == "Connection reset by peer");
}

TEST_CASE("a proxy that never answers ends the call in time, and the error names it") {
    asio::io_context context;
    const ScriptedServer proxy(context, {never_answer()});
    ClientConfig config = behind_proxy(proxy);
    config.timeouts.connect = 50ms;
    Client client(context.get_executor(), config);
    const Result<Response> response = send_request(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message == "no connection was established through the proxy " +
                                          proxy.url() + " within 50 ms (timeouts.connect)");
}

TEST_CASE("a call that waits for a proxy may be cancelled, and its client or context destroyed") {
    auto context = std::make_unique<asio::io_context>();
    const ScriptedServer proxy(*context, {never_answer()});
    auto client = std::make_unique<Client>(context->get_executor(), behind_proxy(proxy));
    const auto call = start_call(*context, *client);
    run_until(*context, [&] { return proxy.requests().size() == 1; });
    REQUIRE_FALSE(call->is_over());
    SECTION("cancelled") {
        call->cancel.emit(asio::cancellation_type::terminal);
        CHECK(finish_call(*context, call).error().is(Errc::aborted));
    }
    SECTION("client first") {
        client.reset();
        CHECK(finish_call(*context, call).error().is(Errc::aborted));
    }
    SECTION("context first") {
        context.reset();
        CHECK_FALSE(call->is_over());
    }
}

TEST_CASE("the certificates of a connection through a proxy are read again like others") {
    const Trust old_trust;
    const Trust new_trust;
    asio::io_context context;
    const Certificate identity =
        new_trust.authority.sign({.common_name = "x", .alternative_names = "DNS:server.test"});
    const TlsServer server(context, identity, {.answer = ok_answer});
    const std::string port = server.url().substr(server.url().rfind(':') + 1);
    const ScriptedServer proxy(context, {connect_to(static_cast<std::uint16_t>(std::stoi(port)))});
    ClientConfig config = tls_client_config("https://server.test:" + port, old_trust.config());
    config.transport = make_proxy_transport({.url = proxy.url()}, config.transport).value();
    Client client(context.get_executor(), config);
    old_trust.file("ca.pem", new_trust.authority.certificate_pem());
    CHECK(send_request(context, client).has_value());
    CHECK(proxy.connections() == 2);
}
