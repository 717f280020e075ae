// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace wva_metrics::testing {

/// A query that a `FakePrometheus` has received.
struct ReceivedQuery {
    /// The PromQL text.
    std::string text;
    /// `GET` or `POST`.
    std::string method;
    /// When it was evaluated: the time in the request, or the clock of the fake.
    std::chrono::system_clock::time_point time;
    /// The `Authorization` header, for tests of credentials; empty if there was none.
    std::string authorization;
};

} // namespace wva_metrics::testing
