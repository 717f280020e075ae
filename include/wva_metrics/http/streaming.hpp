// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/message.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <functional>
#include <string_view>

namespace wva_metrics::http {

/// Receives a piece of a body as it arrives. A piece is never empty, is valid only during the call,
/// and may end anywhere. Returning false ends the call.
using BodySink = std::function<bool(std::string_view)>;

/// Is told that the header of a 2xx answer has arrived, before any piece of its body.
using OpenedCallback = std::function<void()>;

/// Is told status and content type of a 2xx answer when its header has arrived, before any piece of
/// its body.
using HeadCallback = std::function<void(const Response&)>;

/// How long a stream may take; see `BasicClient::stream`.
struct StreamTimeouts {
    /// The longest silence: until the header, then between two pieces of the body. Other bytes
    /// (interim answers, a chunk's header) do not end a silence. Positive, at most a day.
    Duration idle = std::chrono::seconds(60);
    /// Ends the stream, however busy it is; the default is never.
    TimePoint deadline = TimePoint::max();
};

} // namespace wva_metrics::http
