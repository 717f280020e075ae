// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/request_writer.hpp"
#include "wva_metrics/http/message.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

#include <iterator>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

namespace beast_http = boost::beast::http;

/// What a strict server reads from the bytes, which must be one request and nothing else.
beast_http::request<beast_http::string_body> read_request(const std::string& bytes) {
    beast_http::request_parser<beast_http::string_body> parser;
    parser.eager(true);
    parser.header_limit(1U << 20U);
    boost::system::error_code error;
    const std::size_t used = parser.put(boost::asio::buffer(bytes), error);
    expect(!error && parser.is_done(), "a server cannot read the request: " + error.message());
    expect(used == bytes.size(), "another request is smuggled in");
    return parser.release();
}

/// A valid header, target and body arrive at the server as they are, and cannot become another
/// header or request. Lines: GET or POST; the URL; the header's name and value; the target; the
/// content type; then the body.
void fuzz_request(std::string_view bytes) {
    Input input(bytes);
    const bool is_post = Choices(input.line()).flag();
    http::ClientConfig config;
    config.url = input.line();
    http::Header header;
    header.name = input.line();
    header.value = input.line();
    config.headers.push_back(header);
    const std::string target(input.line());
    const std::string content_type(input.line());
    const std::string body(input.rest());

    for (const std::string& problem : validate(config))
        expect_clean(problem, max_message_bytes, "a problem of the configuration");
    const Result<http::Url> url = http::parse_url(config.url);
    if (!validate(config).empty() || !url)
        return;
    const http::Request request =
        is_post ? http::Request::post(target, body, content_type) : http::Request::get(target);
    if (const auto problem = http::detail::check_request(request))
        return expect_explained(*problem, {Errc::invalid_argument});

    const auto received = read_request(http::detail::write_request(
        request, *url, http::detail::common_headers(*url, config.headers), "identity", "Bearer t"));
    expect(received.target() == url->base_path + target, "another target arrives");
    expect(received[beast_http::field::host] == url->host_header(), "another host arrives");
    expect(received["Authorization"] == "Bearer t", "other credentials arrive");
    expect(received.body() == request.body(), "another body arrives");
    std::string_view value = header.value;
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    expect(received[header.name] == value, "another value of the header arrives");
    const bool has_accept = http::detail::equals_ignoring_case(header.name, "accept");
    const std::ptrdiff_t own =
        (has_accept ? 4 : 5) + (is_post ? 1 : 0) + (request.content_type().empty() ? 0 : 1);
    expect(std::distance(received.begin(), received.end()) == own + 1,
           "another number of headers arrives");
}

const RegisteredTarget request_target("request", &fuzz_request);

} // namespace
} // namespace wva_metrics::fuzz
