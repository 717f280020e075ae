// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/http/url.hpp"

#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// A URL is rejected with words that repeat no secret, or is read so that writing it and reading it
/// again gives the same.
void fuzz_url(std::string_view bytes) {
    const Result<http::Url> read = http::parse_url(bytes);
    if (!read) {
        expect_explained(read.error(), {Errc::invalid_config});
        expect(bytes.find('@') == std::string_view::npos ||
                   read.error().message.find(", not '") == std::string::npos,
               "a URL that may hold a password is quoted: " + read.error().message);
        return;
    }
    const http::Url& url = *read;
    expect(url.scheme == "http" || url.scheme == "https", "the scheme is " + url.scheme);
    expect(url.port != 0, "the port is 0");
    expect(bytes.find_first_of("?# ") == std::string_view::npos, "a part is left out silently");
    expect(!url.host.empty() && url.host.size() <= 254, "the host is " + url.host);
    expect(
        std::none_of(url.host.begin(), url.host.end(), [](char c) { return c >= 'A' && c <= 'Z'; }),
        "the host is not in lower case: " + url.host);
    expect(url.base_path.empty() || (url.base_path.front() == '/' && url.base_path.back() != '/'),
           "the path is " + url.base_path);
    for (const std::string& text : {url.origin(), url.host_header(), url.base_path})
        expect(http::detail::is_visible(text), "a part would break a request: " + text);

    const Result<http::Url> again = http::parse_url(url.origin() + url.base_path);
    expect(again.has_value() && *again == url, "it reads otherwise when written: " + url.origin());
    // What a server is told and what a certificate must name lack the dot of an absolute name.
    const Result<http::Url> told = http::parse_url(url.scheme + "://" + url.host_header());
    expect(told.has_value() && told->port == url.port && told->host == url.host_name(),
           "the Host header names another server: " + url.host_header());
}

const RegisteredTarget url_target("url", &fuzz_url);

} // namespace
} // namespace wva_metrics::fuzz
