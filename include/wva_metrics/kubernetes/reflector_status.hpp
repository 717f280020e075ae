// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <cstdint>
#include <optional>

namespace wva_metrics::kubernetes {

/// How a `Reflector` is doing.
struct ReflectorStatus {
    /// Between `start` and `stop`.
    bool running = false;
    /// The objects have been listed since `start`, and the handler has been told of them all.
    bool synced = false;
    /// A list is under way or waits to be tried again: until it has been told of, what is known is
    /// as old as the watch that ended before it.
    bool listing = false;
    /// When the API server last gave a page of a list, an event or a bookmark, or ended a watch in
    /// good order.
    std::optional<TimePoint> last_contact;
    /// Why the last attempt failed; nothing where it did not.
    std::optional<Error> last_error;
    /// Lists begun, from their first page.
    std::uint64_t lists = 0;
    /// Watches begun.
    std::uint64_t watches = 0;
    /// Lists begun because the API server had forgotten where the last watch or list stood (410),
    /// or because a watch could not be understood or was refused.
    std::uint64_t restarts = 0;
    /// Objects that could not be read, in lists and in events.
    std::uint64_t unreadable = 0;
    /// Calls of the handler that threw.
    std::uint64_t handler_failures = 0;
};

} // namespace wva_metrics::kubernetes
