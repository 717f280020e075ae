// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace wva_metrics::kubernetes {

/// The status of a `Reflector`.
struct ReflectorStatus {
    /// Between `start` and `stop`.
    bool running = false;
    /// The handler has received the first complete list since `start`.
    bool synced = false;
    /// A list is in progress, or waits to be retried. Until the handler receives it, the objects
    /// are as old as the watch that ended before it.
    bool listing = false;
    /// When the API server last sent a page of a list, an event or a bookmark, accepted a watch, or
    /// ended one without an error.
    std::optional<TimePoint> last_contact;
    /// The error of the last attempt; empty if it succeeded.
    std::optional<Error> last_error;
    /// Which objects could not be read, in the last list or in an event since; empty if all could.
    std::string warning;
    /// Lists started, from their first page.
    std::uint64_t lists = 0;
    /// Watches started.
    std::uint64_t watches = 0;
    /// Lists started because the API server no longer has the resource version of the last watch or
    /// list (410), because a watch could not be parsed or was rejected, or because three watches in a
    /// row failed.
    std::uint64_t restarts = 0;
    /// Objects in lists and events that could not be read.
    std::uint64_t unreadable = 0;
    /// Callbacks of the handler that threw.
    std::uint64_t handler_failures = 0;
};

} // namespace wva_metrics::kubernetes
