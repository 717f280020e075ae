// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace wva_metrics::kubernetes::detail {

/// The next step of a reflector.
struct WatchStep {
    /// The kind of request to send.
    enum class Kind : std::uint8_t { list, watch };

    Kind kind = Kind::list;
    /// Wait this long before the request.
    Duration wait{};
    /// For a list: requests the next page; empty = start from the first page, and discard earlier
    /// pages. For a watch: the resource version to start from.
    std::string token;
    /// For a list.
    std::size_t page_size = 0;
    /// The received pages are the complete list; deliver it first.
    bool is_list_complete = false;
    /// Why the last attempt failed; empty if it succeeded.
    std::optional<Error> failure;
    /// The same, if it must be reported to the user.
    std::optional<Error> problem;
};

/// The facts of a received page that decide the next step.
struct PageFacts {
    /// Readable or not.
    std::size_t objects = 0;
    /// The memory of the readable ones.
    std::size_t bytes = 0;
    std::string continue_token;
    std::string resource_version;
};

} // namespace wva_metrics::kubernetes::detail
