// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::http::detail {

/// The receiver of a streamed body, and the bounds of its time.
struct StreamOptions {
    StreamOptions(BodySink receiver, const StreamTimeouts& bounds)
        : sink(std::move(receiver)), timeouts(bounds) {}

    BodySink sink;
    StreamTimeouts timeouts;
};

/// Null = the body is collected.
using StreamOptionsPtr = std::unique_ptr<const StreamOptions>;

/// The first problem of the options, if any.
inline std::optional<Error> check_stream_options(const StreamOptions& options) {
    const Duration idle = options.timeouts.idle;
    if (!options.sink)
        return Error(Errc::invalid_argument, "a stream needs a sink for the pieces of its body");
    if (idle <= Duration::zero() || idle > std::chrono::hours(24))
        return Error(Errc::invalid_argument,
                     "StreamTimeouts::idle must be positive and at most a day");
    return std::nullopt;
}

} // namespace wva_metrics::http::detail
