// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>
#include <functional>
#include <string_view>

namespace wva_metrics::http {

/// Takes a piece of a body as it arrives: never empty, valid during the call only, and cut wherever
/// the wire cut it. False ends the stream there.
using BodySink = std::function<bool(std::string_view)>;

/// How long a streamed answer may take; see `Client::stream`.
struct StreamTimeouts {
    /// The longest silence: until the header, and from there between two pieces. Bytes that bring
    /// no piece of the body (interim answers, a chunk's header) do not count as a sign of life.
    /// Positive, and at most a day.
    Duration idle = std::chrono::seconds(60);
    /// When the answer must have ended, however busy it is; the default is never.
    TimePoint deadline = TimePoint::max();
};

} // namespace wva_metrics::http
