// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// The pieces that a sink received.
struct Received {
    std::string text;
    std::vector<std::size_t> piece_sizes;
};

/// Timeouts that are too long to matter in a test.
inline http::StreamTimeouts patient_timeouts() {
    http::StreamTimeouts timeouts;
    timeouts.idle = std::chrono::seconds(30);
    timeouts.deadline = far_deadline();
    return timeouts;
}

/// A sink that keeps everything and never ends the stream.
inline http::BodySink keep_in(std::shared_ptr<Received> received) {
    return [received = std::move(received)](std::string_view piece) {
        received->text += piece;
        received->piece_sizes.push_back(piece.size());
        return true;
    };
}

inline std::shared_ptr<StartedCall> start_stream(boost::asio::io_context& context,
                                                 http::Client& client, http::BodySink sink,
                                                 http::StreamTimeouts timeouts = patient_timeouts(),
                                                 http::Request request = http::Request::get("/")) {
    return start_call(context, client.stream(std::move(request), std::move(sink), timeouts));
}

/// The header of an answer whose body comes in chunks.
inline std::string chunked_head(const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\nTransfer-Encoding: chunked\r\n\r\n";
}

inline std::string chunk(const std::string& text) {
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx", text.size());
    return size.data() + ("\r\n" + text) + "\r\n";
}

inline const std::string last_chunk = "0\r\n\r\n";

} // namespace wva_metrics::test_support
