// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"

#include <optional>

namespace wva_metrics::prometheus {

/// How a query is evaluated.
struct QueryOptions {
    /// The evaluation time; the server's current time if there is none.
    std::optional<samples::ServerTime> time{};
};

} // namespace wva_metrics::prometheus
