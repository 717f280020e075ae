// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/message.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <optional>

namespace wva_metrics::prometheus {

/// How a query is evaluated.
struct QueryOptions {
    /// The evaluation time; the server's current time if there is none.
    std::optional<samples::ServerTime> time{};
    /// Whether somebody waits for the answer, for the queue of the HTTP client.
    http::Priority priority = http::Priority::interactive;
    /// Asks the server that is asked at the moment, although it may be time to return to a preferred
    /// one. For queries that belong together; see `BasicClient::prefer_replica`.
    bool keep_replica = false;
    /// What becomes of a series that has two values at one time.
    Conflict conflict = Conflict::reject;
};

} // namespace wva_metrics::prometheus
