// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "soak/fleet.hpp"
#include "support/child_process.hpp"
#include "support/http_exchange.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace wva_metrics::soak {

/// What the library finds around it, in a process of its own: the pods' page, which Prometheus
/// scrapes, and a front before Prometheus with TLS and a token. The front reads its certificate and
/// token from files, so they can be replaced at any time. Runs until it is killed; a thread for each
/// connection.
class World {
public:
    /// The files of the front, and the one with the ports of both servers.
    struct Files {
        std::filesystem::path directory;
        std::filesystem::path identity() const { return directory / "identity.pem"; }
        std::filesystem::path authority() const { return directory / "ca.pem"; }
        std::filesystem::path token() const { return directory / "token"; }
        /// Of Prometheus, written once it is known.
        std::filesystem::path prometheus_port() const { return directory / "prometheus_port"; }
        /// "page front", written by the world once it listens.
        std::filesystem::path ports() const { return directory / "ports"; }
    };

    World(Fleet fleet, Files files) : fleet_(fleet), files_(std::move(files)) {}

    [[noreturn]] void run() {
        Tcp::acceptor page(context_, {boost::asio::ip::address_v4::loopback(), 0});
        Tcp::acceptor front(context_, {boost::asio::ip::address_v4::loopback(), 0});
        std::ofstream(files_.directory / "ports.new")
            << page.local_endpoint().port() << ' ' << front.local_endpoint().port();
        std::filesystem::rename(files_.directory / "ports.new", files_.ports());
        std::thread([this, &page] {
            accept(page, [this](Tcp::socket socket) { serve_page(std::move(socket)); });
        }).detach();
        accept(front, [this](Tcp::socket socket) { serve_front(std::move(socket)); });
    }

private:
    using Tcp = boost::asio::ip::tcp;
    using Request = boost::beast::http::request<boost::beast::http::string_body>;
    using Response = boost::beast::http::response<boost::beast::http::string_body>;

    template <typename Serve>
    [[noreturn]] void accept(Tcp::acceptor& acceptor, Serve serve) {
        for (;;) {
            Tcp::socket socket = acceptor.accept();
            std::thread([serve, socket = std::move(socket)]() mutable {
                try {
                    serve(std::move(socket));
                } catch (const std::exception&) {
                    // The peer has gone, or Prometheus has: the connection is closed.
                }
            }).detach();
        }
    }

    template <typename Stream, typename Answer>
    static void serve(Stream& stream, Answer answer) {
        boost::beast::flat_buffer buffer;
        for (bool keep = true; keep;) {
            boost::beast::http::request_parser<boost::beast::http::string_body> parser;
            parser.body_limit(std::uint64_t{64} << 20);
            boost::beast::http::read(stream, buffer, parser);
            Response response = answer(parser.get());
            keep = response.keep_alive() && parser.get().keep_alive();
            response.prepare_payload();
            boost::beast::http::write(stream, response);
        }
    }

    void serve_page(Tcp::socket socket) {
        serve(socket, [this](const Request&) {
            Response response(boost::beast::http::status::ok, 11);
            response.set("Content-Type", "text/plain; version=0.0.4");
            response.body() = fleet_.page(Fleet::Clock::now());
            return response;
        });
    }

    void serve_front(Tcp::socket socket) {
        const std::string identity = test_support::read_file(files_.identity());
        boost::asio::ssl::context tls(boost::asio::ssl::context::tls_server);
        tls.use_certificate_chain(boost::asio::buffer(identity));
        tls.use_private_key(boost::asio::buffer(identity), boost::asio::ssl::context::pem);
        boost::asio::ssl::stream<Tcp::socket> stream(std::move(socket), tls);
        stream.handshake(boost::asio::ssl::stream_base::server);
        serve(stream, [&](const Request& request) {
            Response response = pass_on(request);
            // So that the next request needs a handshake with the new certificate.
            response.keep_alive(test_support::read_file(files_.identity()) == identity);
            return response;
        });
        boost::system::error_code ignored;
        stream.shutdown(ignored);
    }

    Response pass_on(const Request& request) {
        if (request["Authorization"] != "Bearer " + token())
            return {boost::beast::http::status::unauthorized, 11};
        const auto port = static_cast<std::uint16_t>(
            std::stoul(test_support::read_file(files_.prometheus_port())));
        try {
            const test_support::HttpAnswer answer = test_support::exchange(
                port, request.method_string(), request.target(), request.body());
            Response response(static_cast<boost::beast::http::status>(answer.status), 11);
            response.set("Content-Type", answer.content_type);
            response.body() = answer.body;
            return response;
        } catch (const std::exception&) {
            // Every other request sees a closed connection, as without a front.
            if (++refused_ % 2 == 0)
                throw;
            return {boost::beast::http::status::service_unavailable, 11};
        }
    }

    /// The last one that was not empty.
    std::string token() {
        const std::lock_guard lock(mutex_);
        if (std::string read = test_support::read_file(files_.token()); !read.empty())
            token_ = std::move(read);
        return token_;
    }

    Fleet fleet_;
    Files files_;
    boost::asio::io_context context_;
    std::atomic<std::uint64_t> refused_{0};
    std::mutex mutex_;
    std::string token_;
};

} // namespace wva_metrics::soak
