// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/characters.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// Reads a proxy's answer to CONNECT. Does no I/O.
class ProxyAnswer {
public:
    enum class Progress : std::uint8_t { incomplete, accepted, refused };

    /// The largest header. A proxy sends a few hundred bytes.
    static constexpr std::size_t max_bytes = std::size_t{16} << 10;

    /// Takes the bytes that have arrived.
    Progress add(std::string_view bytes) {
        received_.append(bytes);
        if (!begins_as_http())
            return refuse("did not answer in HTTP/1");
        const std::size_t end = received_.find("\r\n\r\n");
        if (end == std::string::npos)
            return received_.size() < max_bytes ? Progress::incomplete
                                                : refuse("sent a header larger than 16 KiB");
        const int status = read_status();
        if (status == 0)
            return refuse("did not answer in HTTP/1");
        if (status / 100 != 2)
            return refuse("answered HTTP " + std::to_string(status) + meaning(status));
        // The server does not speak first, neither in TLS nor in HTTP.
        if (end + 4 != received_.size())
            return refuse("sent more than the header of its answer");
        return Progress::accepted;
    }

    /// The connection ended before the answer was complete.
    void end() { reason_ = "closed the connection before its answer was complete"; }

    /// Why the proxy's answer is no connection, after `refused` or `end`: what the proxy did.
    const std::string& reason() const noexcept { return reason_; }

private:
    Progress refuse(std::string reason) {
        reason_ = std::move(reason);
        return Progress::refused;
    }

    bool begins_as_http() const {
        constexpr std::string_view version = "HTTP/1.";
        return std::string_view(received_).substr(0, version.size()) ==
               version.substr(0, std::min(version.size(), received_.size()));
    }

    /// The status of `HTTP/1.x nnn`; 0 if the line is something else.
    int read_status() const {
        const std::string_view line = std::string_view(received_).substr(0, received_.find("\r\n"));
        const bool is_status_line = line.size() >= 12 && is_digit(line[7]) && line[8] == ' ' &&
                                    std::all_of(line.begin() + 9, line.begin() + 12, is_digit) &&
                                    (line.size() == 12 || line[12] == ' ') && line[9] != '0';
        return is_status_line ? (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0')
                              : 0;
    }

    static const char* meaning(int status) {
        switch (status) {
        case 407:
            return ": it requires a user and a password, or does not accept those that are set; "
                   "set proxy.credentials";
        case 403:
        case 405:
            return ": it does not permit connections to this host and port";
        case 502:
        case 503:
        case 504:
            return ": it could not reach the server";
        default:
            return " instead of 200";
        }
    }

    std::string received_;
    std::string reason_;
};

} // namespace wva_metrics::http::detail
