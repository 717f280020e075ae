// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::http {

/// What an error message says if a web page answered, not the server that was asked; the beginning of
/// the page follows.
inline constexpr std::string_view web_page_text =
    "it is HTML, perhaps a login page or a proxy's, and begins: ";

/// What to do about it; it ends the message.
inline constexpr std::string_view web_page_advice =
    "; configure the URL of the server itself, behind the login, with credentials that it accepts";

/// How much of the beginning of a body `is_web_page` looks at.
inline constexpr std::size_t web_page_beginning = 256;

/// Whether a body that could not be read is a web page. The beginning of the body is enough.
inline bool is_web_page(std::string_view content_type, std::string_view body) noexcept {
    using wva_metrics::detail::contains_ignoring_case;
    body = body.substr(0, std::min(body.size(), web_page_beginning));
    return contains_ignoring_case(content_type, "html") || contains_ignoring_case(body, "<html") ||
           contains_ignoring_case(body, "<!doctype html");
}

/// A web page as error messages show it: what it is, how it begins, what to do. A caller with secrets
/// masks the message.
inline std::string describe_web_page(std::string_view body) {
    constexpr std::size_t max_quoted_bytes = 200;
    return std::string(web_page_text) + wva_metrics::detail::clean_text(body, max_quoted_bytes) +
           std::string(web_page_advice);
}

} // namespace wva_metrics::http
