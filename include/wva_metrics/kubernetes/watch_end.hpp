// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <optional>

namespace wva_metrics::kubernetes {

/// How a watch ended; every watch does.
struct WatchEnd {
    /// From the request on.
    Duration lasted{};
    /// The API server had begun to answer with success.
    bool was_opened = false;
    /// Nothing where the API server ended it in good order. `http_status` is 410 where the place
    /// to go on from is forgotten, 200 where the answer broke off.
    std::optional<Error> error;
};

} // namespace wva_metrics::kubernetes
