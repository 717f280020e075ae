// SPDX-License-Identifier: Apache-2.0
//
// What a program needs that asks Prometheus without this library: one query, in one coroutine.
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

asio::awaitable<double> ask(std::string host, std::string port) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    const auto addresses = co_await resolver.async_resolve(host, port, asio::use_awaitable);
    beast::tcp_stream stream(executor);
    stream.expires_after(std::chrono::seconds(10));
    co_await stream.async_connect(addresses, asio::use_awaitable);

    http::request<http::string_body> request(http::verb::post, "/api/v1/query", 11);
    request.set(http::field::host, host);
    request.set(http::field::content_type, "application/x-www-form-urlencoded");
    request.body() = "query=up";
    request.prepare_payload();
    co_await http::async_write(stream, request, asio::use_awaitable);

    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    const boost::json::value answer = boost::json::parse(response.body());
    const auto& sample = answer.at("data").at("result").at(0).at("value").at(1);
    co_return std::stod(std::string(sample.as_string()));
}

int main() {
    asio::io_context io;
    asio::co_spawn(io, ask("127.0.0.1", "9090"), [](const std::exception_ptr& failure, double up) {
        if (!failure)
            std::cout << up << '\n';
    });
    io.run();
}
