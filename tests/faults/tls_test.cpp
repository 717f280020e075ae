// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/certificates.hpp"
#include "support/http_calls.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include "support/tls_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::ClientConfig;
using http::make_tls_transport;
using http::Request;
using http::Response;
using http::TlsConfig;

namespace {

const std::string ok = http_answer("{}");

/// An authority, and files with what it vouches for.
struct Trust {
    TemporaryDirectory directory;
    Certificate authority = Certificate::authority("Test CA");
    std::string ca_file = file("ca.pem", authority.certificate_pem());

    std::string file(const std::string& name, const std::string& text) const {
        return write_file(directory.path() / name, text);
    }
    TlsConfig config() const { return {.ca_file = ca_file}; }
    Certificate localhost() const {
        return authority.sign({.common_name = "localhost", .alternative_names = "DNS:localhost"});
    }
};

ClientConfig client_config(std::string url, TlsConfig tls) {
    ClientConfig config;
    config.url = std::move(url);
    config.transport = make_tls_transport(std::move(tls)).value();
    return config;
}

/// Looks up every name on this machine.
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

/// Asks once, and gives the answer.
Result<Response> ask_once(asio::io_context& context, std::string url, TlsConfig tls) {
    Client client(context.get_executor(), client_config(std::move(url), std::move(tls)));
    return ask(context, client);
}

void check_refused(const Result<Response>& response, const std::string& reason) {
    REQUIRE_FALSE(response.has_value());
    CAPTURE(response.error().message);
    CHECK(response.error().is(Errc::tls_failed));
    CHECK(response.error().message.find(reason) != std::string::npos);
}

} // namespace

TEST_CASE("a server with a certificate of a trusted authority for its name is talked to") {
    const Trust trust;
    asio::io_context context;
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const TlsServer server(context, trust.localhost(), {.answer = ok, .max_version = version});
    Client client(context.get_executor(), client_config(server.url() + "/base", trust.config()));
    for (int i = 0; i < 3; ++i) {
        const Result<Response> response = ask(context, client);
        REQUIRE(response.has_value());
        CHECK(response->body == "{}");
    }
    CHECK(server.log().connections == 1);
    CHECK(server.log().requests == 3);
    CHECK(server.log().server_names.at(0) == "localhost");
    CHECK(server.log().protocols.at(0) == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
    CHECK(client.idle_connections() == 1);
}

TEST_CASE("a trailing dot belongs to DNS, not to the name in a certificate") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(context, trust.localhost(), {.answer = ok});
    ClientConfig config = client_config(server.url("LocalHost."), trust.config());
    config.transport = std::make_shared<LocalNames>(config.transport);
    Client client(context.get_executor(), config);
    CHECK(ask(context, client).has_value());
    CHECK(server.log().server_names.at(0) == "localhost");
}

TEST_CASE("an IP address is found among the certificate's IP addresses, and sends no SNI") {
    const Trust trust;
    asio::io_context context;
    const Certificate identity =
        trust.authority.sign({.common_name = "x", .alternative_names = "IP:127.0.0.1"});
    const TlsServer server(context, identity, {.answer = ok});
    CHECK(ask_once(context, server.url("127.0.0.1"), trust.config()).has_value());
    CHECK(server.log().server_names.at(0).empty());
}

TEST_CASE("a wildcard stands for one label") {
    const Trust trust;
    asio::io_context context;
    const Certificate identity =
        trust.authority.sign({.common_name = "x", .alternative_names = "DNS:*.example.org"});
    const TlsServer server(context, identity, {.answer = ok});
    TlsConfig config = trust.config();
    config.server_name = "a.example.org";
    CHECK(ask_once(context, server.url(), config).has_value());
    config.server_name = "a.b.example.org";
    check_refused(ask_once(context, server.url(), config), "hostname mismatch");
    config.server_name = "example.org";
    check_refused(ask_once(context, server.url(), config), "hostname mismatch");
}

TEST_CASE("a certificate for somebody else is refused, whoever signed it") {
    const Trust trust;
    asio::io_context context;
    const auto [names, host, reason] = GENERATE(table<std::string, std::string, std::string>({
        {"DNS:other.example", "localhost", "hostname mismatch"},
        {"DNS:localhost", "127.0.0.1", "IP address mismatch"},
        {"IP:127.0.0.2", "127.0.0.1", "IP address mismatch"},
        {"DNS:127.0.0.1", "127.0.0.1", "IP address mismatch"},
        // The common name says localhost, but that stopped counting long ago.
        {"", "localhost", "hostname mismatch"},
    }));
    CAPTURE(names, host);
    const Certificate identity =
        trust.authority.sign({.common_name = "localhost", .alternative_names = names});
    const TlsServer server(context, identity, {.answer = ok});
    check_refused(ask_once(context, server.url(host), trust.config()), reason);
    CHECK(server.log().requests == 0);
}

TEST_CASE("an expired certificate is refused") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(
        context,
        trust.authority.sign(
            {.common_name = "localhost", .alternative_names = "DNS:localhost", .is_expired = true}),
        {.answer = ok});
    check_refused(ask_once(context, server.url(), trust.config()), "expired");
    CHECK(server.log().requests == 0);
}

TEST_CASE("a certificate of an unknown authority is refused") {
    const Trust trust;
    const Trust other;
    asio::io_context context;
    const TlsServer server(context, other.localhost(), {.answer = ok});
    SECTION("with an authority of our own") {
        check_refused(ask_once(context, server.url(), trust.config()), "certificate");
    }
    SECTION("with the system's authorities") {
        check_refused(ask_once(context, server.url(), {}), "certificate");
    }
    CHECK(server.log().requests == 0);
}

TEST_CASE("only the ugly name switches verification off") {
    const Trust other;
    asio::io_context context;
    const TlsServer server(
        context,
        other.authority.sign(
            {.common_name = "x", .alternative_names = "DNS:nobody", .is_expired = true}),
        {.answer = ok});
    CHECK(ask_once(context, server.url(), {.insecure_accept_any_certificate = true}).has_value());
}

TEST_CASE("TLS older than 1.2 is refused") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(context, trust.localhost(),
                           {.answer = ok, .max_version = TLS1_1_VERSION});
    const Result<Response> response = ask_once(context, server.url(), trust.config());
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::tls_failed));
    CHECK(server.log().requests == 0);
    // OpenSSL may be configured to refuse it anyway; we do not rely on that.
    const auto tls = http::detail::load_tls_context(trust.config()).value();
    CHECK(SSL_CTX_ctrl(tls->native_handle(), SSL_CTRL_GET_MIN_PROTO_VERSION, 0, nullptr) ==
          TLS1_2_VERSION);
}

TEST_CASE("a server that speaks plain HTTP on a TLS port is never asked in the clear") {
    const Trust trust;
    asio::io_context context;
    std::string received;
    const ScriptedServer server(
        context, {[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            co_await peer->send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            received = co_await peer->receive_all();
        }});
    const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
    ClientConfig config = client_config(url, trust.config());
    config.credentials = http::Credentials::bearer("hunter2");
    Client client(context.get_executor(), config);
    const Result<Response> response = ask(context, client);
    check_refused(response, "wrong version number");
    run_until(context, [&] { return !received.empty(); });
    CHECK(received.find("GET") == std::string::npos);
    CHECK(received.find("hunter2") == std::string::npos);
    CHECK(server.connections() == 1);
}

TEST_CASE("a handshake that is never answered ends in time, and the error names the bound") {
    const Trust trust;
    asio::io_context context;
    const ScriptedServer server(context, {never_answer()});
    ClientConfig config =
        client_config("https://127.0.0.1:" + std::to_string(server.port()), trust.config());
    config.timeouts.tls_handshake = 50ms;
    Client client(context.get_executor(), config);
    const Result<Response> response = ask(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("within 50 ms (timeouts.tls_handshake)") !=
          std::string::npos);
}

TEST_CASE("a server that hangs up during the handshake was not reached") {
    const Trust trust;
    asio::io_context context;
    const ScriptedServer server(
        context,
        {[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> { co_await peer->wait(1ms); }});
    const Result<Response> response =
        ask_once(context, "https://127.0.0.1:" + std::to_string(server.port()), trust.config());
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::unreachable));
}

TEST_CASE("a whole answer counts although TLS was not ended properly, an endless one does not") {
    const Trust trust;
    asio::io_context context;
    SECTION("framed") {
        const TlsServer server(context, trust.localhost(),
                               {.answer = ok, .cut_after_answer = true});
        Client client(context.get_executor(), client_config(server.url(), trust.config()));
        for (int i = 0; i < 3; ++i)
            CHECK(ask(context, client).has_value());
        CHECK(server.log().connections == 3);
    }
    SECTION("ended by the connection, which somebody may have cut") {
        const TlsServer server(context, trust.localhost(),
                               {.answer = "HTTP/1.0 200 OK\r\n\r\n{}", .cut_after_answer = true});
        const Result<Response> response = ask_once(context, server.url(), trust.config());
        REQUIRE_FALSE(response.has_value());
        CHECK(response.error().is(Errc::unreachable));
    }
}

TEST_CASE("bytes left over on a TLS connection are never the next answer") {
    const Trust trust;
    asio::io_context context;
    // Large enough to lie in several TLS records, of which the client has not read all.
    const std::string stale =
        GENERATE(as<std::string>{}, http_answer("STALE"), http_answer(std::string(100'000, 'S')));
    const TlsServer server(context, trust.localhost(), {.answer = ok + stale});
    Client client(context.get_executor(), client_config(server.url(), trust.config()));
    for (int i = 0; i < 3; ++i)
        CHECK(ask(context, client)->body == "{}");
    CHECK(server.log().connections == 3);
}

TEST_CASE("a client certificate is shown to a server that demands one") {
    const Trust trust;
    asio::io_context context;
    const TlsServer server(
        context, trust.localhost(),
        {.answer = ok, .client_authority_pem = trust.authority.certificate_pem()});
    TlsConfig config = trust.config();
    SECTION("and accepted") {
        const Certificate identity = trust.authority.sign({.common_name = "client"});
        config.certificate_file = trust.file("client.pem", identity.certificate_pem());
        config.private_key_file = trust.file("client.key", identity.key_pem());
        CHECK(ask_once(context, server.url(), config).has_value());
    }
    SECTION("and missed") {
        // With TLS 1.3 the refusal comes after the handshake.
        const Result<Response> response = ask_once(context, server.url(), config);
        check_refused(response, "certificate required");
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

TEST_CASE("files that were replaced are read again, and broken ones do no harm") {
    const Trust trust;
    const Trust next;
    asio::io_context context;
    const TlsServer before(context, trust.localhost(), {.answer = ok});
    const TlsServer after(context, next.localhost(), {.answer = ok});
    TlsConfig config = trust.config();
    config.reload_interval = 0s;
    const auto transport = make_tls_transport(config).value();
    Client old_client(context.get_executor(), {.url = before.url(), .transport = transport});
    Client new_client(context.get_executor(), {.url = after.url(), .transport = transport});
    CHECK(ask(context, old_client).has_value());
    CHECK_FALSE(ask(context, new_client).has_value());

    const std::filesystem::path path = trust.ca_file;
    const auto written_at = std::filesystem::last_write_time(path);
    const auto replace = [&](const std::string& text, std::chrono::seconds later) {
        trust.file("ca.pem", text);
        // Clocks of file systems are coarse.
        std::filesystem::last_write_time(path, written_at + later);
    };
    replace("half writ", 1s);
    Client still(context.get_executor(), {.url = before.url(), .transport = transport});
    CHECK(ask(context, still).has_value());
    replace(next.authority.certificate_pem(), 2s);
    CHECK(ask(context, new_client).has_value());
    Client too_late(context.get_executor(), {.url = before.url(), .transport = transport});
    CHECK_FALSE(ask(context, too_late).has_value());
}

TEST_CASE("a TLS transport serves no http URL, and a plain one no https URL") {
    CHECK(validate(ClientConfig{.url = "https://h", .transport = make_tls_transport({}).value()})
              .empty());
    CHECK(validate(ClientConfig{.url = "http://h", .transport = make_tls_transport({}).value()})
              .size() == 1);
    CHECK(validate(
              ClientConfig{.url = "https://h", .transport = std::make_shared<http::TcpTransport>()})
              .size() == 1);
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
        std::make_unique<Client>(context->get_executor(), client_config(url, trust.config()));
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

TEST_CASE("a streamed answer comes over TLS as well, and one that is cut there is an error") {
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
    Client client(context.get_executor(), client_config(server.url(), trust.config()));
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
