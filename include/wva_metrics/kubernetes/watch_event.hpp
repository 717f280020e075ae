// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/api_status.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace wva_metrics::kubernetes {

/// The kind of a watch event.
enum class WatchEventKind : std::uint8_t {
    /// A new object.
    added,
    /// A changed object.
    modified,
    /// A deleted object.
    deleted,
    /// No change up to this resource version.
    bookmark,
    /// The watch failed and ends.
    error,
};

/// An event of a watch.
template <typename T>
struct WatchEvent {
    /// The kind of the event.
    WatchEventKind kind = WatchEventKind::bookmark;
    /// The object of `added`, `modified` and `deleted`; empty if it could not be read.
    std::optional<T> object;
    /// The resource version from which another watch can continue; empty if it is missing.
    std::string resource_version;
    /// The object, if it could not be read.
    UnreadableObject unreadable;
    /// The API server's explanation of an `error`.
    ApiStatus status;
};

} // namespace wva_metrics::kubernetes
