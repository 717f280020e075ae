// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/certificates.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// A TLS server on loopback that answers every request with the same bytes. For one thread. It
/// serves until its io_context is destroyed.
class TlsServer {
public:
    struct Options {
        std::string answer;
        /// Close the TCP connection after the first answer, without a proper end of TLS.
        bool cut_after_answer = false;
        /// Highest protocol; 0 = any.
        int max_version = 0;
        /// The authority of the client certificates that are required; empty = none.
        std::string client_authority_pem{};
    };

    struct Log {
        std::size_t connections = 0;
        std::size_t requests = 0;
        /// The names that the clients sent by SNI, and the negotiated protocols.
        std::vector<std::string> server_names;
        std::vector<std::string> protocols;
    };

    TlsServer(boost::asio::io_context& context, const Certificate& identity, Options options) {
        boost::asio::ip::tcp::acceptor acceptor(context,
                                                {boost::asio::ip::address_v4::loopback(), 0});
        port_ = acceptor.local_endpoint().port();
        auto tls = std::make_shared<Tls>(Tls::tls_server);
        const std::string certificate = identity.certificate_pem();
        const std::string key = identity.key_pem();
        tls->use_certificate_chain(boost::asio::buffer(certificate));
        tls->use_private_key(boost::asio::buffer(key), Tls::pem);
        if (options.max_version != 0)
            SSL_CTX_ctrl(tls->native_handle(), SSL_CTRL_SET_MAX_PROTO_VERSION, options.max_version,
                         nullptr);
        if (!options.client_authority_pem.empty()) {
            tls->add_certificate_authority(boost::asio::buffer(options.client_authority_pem));
            tls->set_verify_mode(boost::asio::ssl::verify_peer |
                                 boost::asio::ssl::verify_fail_if_no_peer_cert);
        }
        boost::asio::co_spawn(context,
                              serve(std::move(acceptor), std::move(tls), std::move(options), log_),
                              boost::asio::detached);
    }

    std::string url(const std::string& host = "localhost") const {
        return "https://" + host + ":" + std::to_string(port_);
    }
    const Log& log() const { return *log_; }

private:
    using Tls = boost::asio::ssl::context;
    using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

    static boost::asio::awaitable<void> serve(boost::asio::ip::tcp::acceptor acceptor,
                                              std::shared_ptr<Tls> tls, Options options,
                                              std::shared_ptr<Log> log) {
        for (;;) {
            boost::asio::ip::tcp::socket socket =
                co_await acceptor.async_accept(boost::asio::use_awaitable);
            ++log->connections;
            boost::asio::co_spawn(acceptor.get_executor(),
                                  answer(std::move(socket), tls, options, log),
                                  boost::asio::detached);
        }
    }

    static boost::asio::awaitable<void> answer(boost::asio::ip::tcp::socket socket,
                                               std::shared_ptr<Tls> tls, Options options,
                                               std::shared_ptr<Log> log) {
        Stream stream(std::move(socket), *tls);
        try {
            co_await stream.async_handshake(boost::asio::ssl::stream_base::server,
                                            boost::asio::use_awaitable);
            const char* const name =
                SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
            log->server_names.emplace_back(name == nullptr ? "" : name);
            log->protocols.emplace_back(SSL_get_version(stream.native_handle()));
            std::string received;
            do {
                const std::size_t head = co_await boost::asio::async_read_until(
                    stream, boost::asio::dynamic_buffer(received), "\r\n\r\n",
                    boost::asio::use_awaitable);
                received.erase(0, head);
                ++log->requests;
                co_await boost::asio::async_write(stream, boost::asio::buffer(options.answer),
                                                  boost::asio::use_awaitable);
            } while (!options.cut_after_answer);
        } catch (const boost::system::system_error&) {
            // The client closed the connection or rejected the certificate, as in some tests.
        }
    }

    std::uint16_t port_ = 0;
    std::shared_ptr<Log> log_ = std::make_shared<Log>();
};

} // namespace wva_metrics::test_support
