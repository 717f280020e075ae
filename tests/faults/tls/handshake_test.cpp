// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/http_calls.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "support/tls_server.hpp"
#include "support/tls_trust.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::ClientConfig;
using http::Request;
using http::Response;

TEST_CASE("TLS older than 1.2 is rejected") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(context, trust.localhost(),
                           {.answer = ok_answer, .max_version = TLS1_1_VERSION});
    const Result<Response> response = send_request_once(context, server.url(), trust.config());
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::tls_failed));
    CHECK(server.log().requests == 0);
    // OpenSSL may be configured to reject it anyway; the client does not rely on that.
    const auto tls = http::detail::load_tls_context(trust.config()).value();
    CHECK(SSL_CTX_ctrl(tls->native_handle(), SSL_CTRL_GET_MIN_PROTO_VERSION, 0, nullptr) ==
          TLS1_2_VERSION);
}

TEST_CASE("a server that speaks plain HTTP on a TLS port receives no request") {
    const Trust trust;
    asio::io_context context;
    std::string received;
    const ScriptedServer server(
        context, {[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            co_await peer->send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            received = co_await peer->receive_all();
        }});
    const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
    ClientConfig config = tls_client_config(url, trust.config());
    config.credentials = http::Credentials::bearer(secret_token);
    Client client(context.get_executor(), config);
    const Result<Response> response = send_request(context, client);
    check_tls_failed(response, "wrong version number");
    run_until(context, [&] { return !received.empty(); });
    CHECK(received.find("GET") == std::string::npos);
    CHECK(received.find(secret_token) == std::string::npos);
    CHECK(server.connections() == 1);
}

TEST_CASE("a handshake that is never answered ends in time, and the error names the timeout") {
    const Trust trust;
    asio::io_context context;
    const ScriptedServer server(context, {never_answer()});
    ClientConfig config =
        tls_client_config("https://127.0.0.1:" + std::to_string(server.port()), trust.config());
    config.timeouts.tls_handshake = 50ms;
    Client client(context.get_executor(), config);
    const Result<Response> response = send_request(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("within 50 ms (timeouts.tls_handshake)") !=
          std::string::npos);
}

TEST_CASE("a server that closes the connection during the handshake is unreachable") {
    const Trust trust;
    asio::io_context context;
    const ScriptedServer server(
        context,
        {[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> { co_await peer->wait(1ms); }});
    const Result<Response> response = send_request_once(
        context, "https://127.0.0.1:" + std::to_string(server.port()), trust.config());
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::unreachable));
}

TEST_CASE("without a proper end of TLS only an answer with a length is complete") {
    const Trust trust;
    asio::io_context context;
    SECTION("an answer with a length") {
        const TlsServer server(context, trust.localhost(),
                               {.answer = ok_answer, .cut_after_answer = true});
        Client client(context.get_executor(), tls_client_config(server.url(), trust.config()));
        for (int i = 0; i < 3; ++i)
            CHECK(send_request(context, client).has_value());
        CHECK(server.log().connections == 3);
    }
    SECTION("an answer that ends with the connection") {
        const TlsServer server(context, trust.localhost(),
                               {.answer = "HTTP/1.0 200 OK\r\n\r\n{}", .cut_after_answer = true});
        const Result<Response> response = send_request_once(context, server.url(), trust.config());
        REQUIRE_FALSE(response.has_value());
        CHECK(response.error().is(Errc::unreachable));
    }
}

TEST_CASE("bytes left over on a TLS connection are never taken for the next answer") {
    const Trust trust;
    asio::io_context context;
    // The larger one has several TLS records, of which the client has not read all.
    const std::string stale =
        GENERATE(as<std::string>{}, http_answer("STALE"), http_answer(std::string(100'000, 'S')));
    const TlsServer server(context, trust.localhost(), {.answer = ok_answer + stale});
    Client client(context.get_executor(), tls_client_config(server.url(), trust.config()));
    for (int i = 0; i < 3; ++i)
        CHECK(send_request(context, client)->body == "{}");
    CHECK(server.log().connections == 3);
}

TEST_CASE("a TLS call may be cancelled, and its client or context destroyed, in any phase") {
    const Trust trust;
    auto context = std::make_unique<asio::io_context>();
    const bool in_handshake = GENERATE(true, false);
    const ScriptedServer mute(*context, {never_answer()});
    const TlsServer silent(*context, trust.localhost(), {.answer = ""});
    const std::string url =
        in_handshake ? "https://localhost:" + std::to_string(mute.port()) : silent.url();
    auto client =
        std::make_unique<Client>(context->get_executor(), tls_client_config(url, trust.config()));
    const auto call = start_call(*context, *client);
    run_until(*context,
              [&] { return in_handshake ? mute.connections() == 1 : silent.log().requests == 1; });
    run_ready(*context);
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

TEST_CASE("an answer is streamed over TLS, and one that is cut short is an error") {
    const Trust trust;
    asio::io_context context;
    const bool is_cut = GENERATE(false, true);
    const std::string large(50'000, 'x');
    std::string answer = chunked_head();
    for (int i = 0; i < 10; ++i)
        answer += chunk(large);
    if (!is_cut)
        answer += last_chunk;
    const TlsServer server(context, trust.localhost(),
                           {.answer = answer, .cut_after_answer = is_cut});
    Client client(context.get_executor(), tls_client_config(server.url(), trust.config()));
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(context, start_stream(context, client, keep_in(received)));
    CHECK(received->text.size() == 10 * large.size());
    CHECK(client.idle_connections() == (is_cut ? 0 : 1));
    if (is_cut)
        CHECK(response.error().is(Errc::unreachable));
    else
        CHECK(response.has_value());
}
