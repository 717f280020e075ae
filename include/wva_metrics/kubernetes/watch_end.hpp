// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <optional>

namespace wva_metrics::kubernetes {

/// How a watch ended.
struct WatchEnd {
    /// Time since the request.
    Duration lasted{};
    /// The API server had started a successful response.
    bool was_opened = false;
    /// Empty if the API server ended the watch regularly. `http_status` is 410 if the resource
    /// version is too old, and 200 if the response was interrupted.
    std::optional<Error> error;
};

} // namespace wva_metrics::kubernetes
