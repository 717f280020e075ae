// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::test_support {

struct HttpAnswer {
    int status = 0;
    std::string content_type;
    std::string body;
};

/// One HTTP exchange with a server on 127.0.0.1, on a connection of its own, in the calling thread.
/// Independent of the library's own client on purpose. Throws boost::system::system_error.
inline HttpAnswer exchange(std::uint16_t port, std::string_view method, std::string_view target,
                           std::string body = {},
                           std::string_view content_type = "application/x-www-form-urlencoded",
                           std::string_view extra_header = {}, std::string_view extra_value = {}) {
    namespace asio = boost::asio;
    namespace http = boost::beast::http;
    asio::io_context context;
    boost::beast::tcp_stream stream(context);
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    request.version(11);
    request.method_string(method);
    request.target(target);
    request.set(http::field::host, "127.0.0.1");
    request.set(http::field::connection, "close");
    if (!body.empty()) {
        request.set(http::field::content_type, content_type);
        request.body() = std::move(body);
    }
    if (!extra_header.empty())
        request.set(extra_header, extra_value);
    request.prepare_payload();
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    parser.skip(method == "HEAD");

    boost::system::error_code failure;
    stream.expires_after(std::chrono::seconds(30));
    stream.async_connect(
        asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port),
        [&](boost::system::error_code connected) {
            if (failure = connected; failure)
                return;
            http::async_write(stream, request, [&](boost::system::error_code sent, std::size_t) {
                if (failure = sent; failure)
                    return;
                http::async_read(
                    stream, buffer, parser,
                    [&](boost::system::error_code received, std::size_t) { failure = received; });
            });
        });
    context.run();
    if (failure)
        throw boost::system::system_error(failure);
    auto response = parser.release();
    return {static_cast<int>(response.result_int()),
            std::string(response[http::field::content_type]), std::move(response.body())};
}

/// `text` as the value of a form field or a query parameter.
inline std::string form_encode(std::string_view text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return encoded;
}

/// An instant query by POST at Unix time `time` (millisecond precision), or now.
inline HttpAnswer post_query(std::uint16_t port, std::string_view promql,
                             std::optional<double> time = {}) {
    std::string form = "query=" + form_encode(promql);
    if (time) {
        std::array<char, 64> text{};
        std::snprintf(text.data(), text.size(), "%.3f", *time);
        form += "&time=";
        form += text.data();
    }
    return exchange(port, "POST", "/api/v1/query", std::move(form));
}

} // namespace wva_metrics::test_support
