// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace vllm_fleet {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using Request = http::request<http::string_body>;

/// The body is shared: a page of megabytes is formatted once and sent to several clients.
struct Response {
    http::status status = http::status::ok;
    std::string content_type = "text/plain; charset=utf-8";
    std::shared_ptr<const std::string> body;
    std::pair<std::string, std::string> header{}; ///< A further one; none if its name is empty.
    std::chrono::seconds delay{};                 ///< Before it is sent.
    bool breaks_off = false; ///< The connection ends in the middle of the body.
};

using Handler = std::function<Response(const Request&)>;

/// Answers the requests of one connection until the client closes it or is silent for two minutes.
inline asio::awaitable<void> serve_connection(asio::ip::tcp::socket socket, Handler handler) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (;;) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(64 * 1024);
        stream.expires_after(std::chrono::minutes(2));
        const auto [read_error, bytes_read] =
            co_await http::async_read(stream, buffer, parser, token);
        if (read_error)
            co_return;

        const Request request = parser.release();
        const Response answer = handler(request);
        http::response<http::span_body<const char>> response(answer.status, request.version());
        response.set(http::field::content_type, answer.content_type);
        if (!answer.header.first.empty())
            response.set(answer.header.first, answer.header.second);
        response.keep_alive(request.keep_alive() && !answer.breaks_off);
        response.content_length(answer.body->size());
        if (request.method() != http::verb::head)
            response.body() = {answer.body->data(),
                               answer.breaks_off ? answer.body->size() / 2 : answer.body->size()};

        if (answer.delay > std::chrono::seconds(0)) {
            asio::steady_timer pause(stream.get_executor(), answer.delay);
            co_await pause.async_wait(token);
        }
        stream.expires_after(std::chrono::minutes(1));
        const auto [write_error, bytes_written] =
            co_await http::async_write(stream, response, token);
        if (write_error || !response.keep_alive())
            break;
    }
    beast::error_code ignored;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

/// Accepts connections until the io_context stops.
inline asio::awaitable<void> serve(asio::ip::tcp::acceptor acceptor, Handler handler) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(token);
        if (error) { // E.g. out of file descriptors: wait until open connections have ended.
            asio::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(100));
            co_await pause.async_wait(token);
            continue;
        }
        asio::co_spawn(acceptor.get_executor(), serve_connection(std::move(socket), handler),
                       asio::detached);
    }
}

} // namespace vllm_fleet
