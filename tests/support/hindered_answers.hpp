// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include "support/misbehaviour.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics::test_support {

/// A way in which a server, or what stands in front of it, gives something else than the answer.
struct HinderedAnswer {
    std::string name;
    Misbehaviour how;
    /// What a client of Prometheus says.
    Errc code;
    /// A part of the error's text.
    std::string said;
    /// The connection may be used again.
    bool is_kept = false;
};

inline const std::string early_hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";

/// Answers that are none, which arrive at once.
inline std::vector<HinderedAnswer> hindered_answers() {
    const auto text = [](const std::string& status, const std::string& body,
                         const std::string& fields = {}) {
        return "HTTP/1.1 " + status + "\r\nContent-Type: text/plain; charset=utf-8\r\n" + fields +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    return {
        {"404 with a text",
         {text("404 Not Found", "404 page not found\n")},
         Errc::rejected,
         "there is no query API at this URL",
         true},
        {"405 with a text, to POST and to GET",
         {text("405 Method Not Allowed", "Method Not Allowed\n")},
         Errc::rejected,
         "neither by POST nor by GET",
         true},
        {"501 with a text",
         {text("501 Not Implemented", "Not Implemented\n")},
         Errc::rejected,
         "neither by POST nor by GET",
         true},
        {"204 without a body", {"HTTP/1.1 204 No Content\r\n\r\n"}, Errc::bad_response, "empty"},
        {"204 with bytes after it",
         {"HTTP/1.1 204 No Content\r\n\r\nleftover"},
         Errc::bad_response,
         "empty"},
        {"a text with 200",
         {text("200 OK", "Prometheus is ready.\n")},
         Errc::bad_response,
         "it begins: Prometheus is ready."},
        {"interim answers without end",
         {{}, Misbehaviour::End::close, early_hints},
         Errc::too_large,
         "limits.max_informational"},
        {"a redirect to the login page of another host",
         {text("302 Found", "Found", "Location: https://login.test/?session=1\r\n")},
         Errc::rejected,
         "a redirect to https://login.test/,",
         true},
        {"a redirect to itself",
         {text("307 Temporary Redirect", "", "Location: /api/v1/query\r\n")},
         Errc::rejected,
         "a redirect to /api/v1/query,",
         true},
        {"a reset before the answer", {{}, Misbehaviour::End::reset}, Errc::unreachable, ""},
        {"the end of the connection before the answer",
         {{}, Misbehaviour::End::close},
         Errc::unreachable,
         ""},
        {"a reset in the middle of the body",
         {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\"", Misbehaviour::End::reset},
         Errc::unreachable,
         ""},
    };
}

/// Answers that do not arrive in time.
inline std::vector<HinderedAnswer> late_answers() {
    using namespace std::chrono_literals;
    constexpr auto keep = Misbehaviour::End::keep;
    return {
        {"no answer", {}, Errc::timeout, "timeouts.attempt"},
        {"a header byte by byte",
         {"HTTP/1.1 200 OK\r\nX: ", keep, "x", 20ms},
         Errc::timeout,
         "timeouts.attempt"},
        {"a body byte by byte",
         {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", keep, " ", 20ms},
         Errc::timeout,
         "timeouts.attempt"},
        {"interim answers one by one",
         {{}, keep, early_hints, 90ms},
         Errc::timeout,
         "timeouts.attempt"},
    };
}

} // namespace wva_metrics::test_support
