// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace wva_metrics::http::detail {

/// What happens to the body of a 2xx answer. Other bodies are collected.
enum class BodyMode : std::uint8_t {
    /// `Response::body` has all of it.
    collect,
    /// A sink receives it as it arrives. The call is otherwise as any other.
    deliver,
    /// The same, for a call that has the rules of `BasicClient::stream`.
    stream,
};

/// What a call does with the body of its answer.
struct BodyOptions {
    /// The body is collected.
    BodyOptions() = default;
    /// The body is delivered.
    explicit BodyOptions(BodySink receiver) : mode(BodyMode::deliver), sink(std::move(receiver)) {}
    /// The body is streamed. `longest_silence`: see `StreamTimeouts::idle`.
    BodyOptions(BodySink receiver, Duration longest_silence)
        : mode(BodyMode::stream), sink(std::move(receiver)), idle(longest_silence) {}

    BodyMode mode = BodyMode::collect;
    BodySink sink{};
    /// Of a body that is delivered or streamed; may be empty.
    HeadCallback on_head{};
    /// Of a stream; may be empty.
    OpenedCallback on_opened{};
    Duration idle{};
};

/// The first problem of the options, if any.
inline std::optional<Error> check_body_options(const BodyOptions& options) {
    if (options.mode != BodyMode::collect && !options.sink)
        return Error(Errc::invalid_argument,
                     "a call that delivers a body needs a sink for its pieces");
    if (options.mode == BodyMode::stream &&
        (options.idle <= Duration::zero() || options.idle > std::chrono::hours(24)))
        return Error(Errc::invalid_argument,
                     "StreamTimeouts::idle must be positive and at most a day");
    return std::nullopt;
}

} // namespace wva_metrics::http::detail
