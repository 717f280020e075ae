// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/scrape/scrape_clock.hpp"

#include <algorithm>
#include <chrono>

namespace wva_metrics::detail {

/// Converts times of the server to the local clock.
///
/// Ages are differences of two times of the server, and local times are that of a request minus an
/// age. So the two clocks need not agree.
struct ServerClock {
    /// When the server evaluated the query, on its clock.
    samples::ServerTime evaluated{};
    /// When the query was sent, on the local clock.
    TimePoint requested{};

    /// A sample's time on the local clock, never later than the request.
    TimePoint local(samples::ServerTime time) const noexcept {
        // No query looks back so far; the limit avoids an overflow if a time is absurd.
        constexpr samples::ServerDuration oldest = std::chrono::hours(24 * 365);
        const samples::ServerDuration age =
            time >= evaluated ? samples::ServerDuration::zero()
                              : std::min(samples::ServerDuration(evaluated - time), oldest);
        return requested - age;
    }
};

/// The clock of samples whose times `clock` gave, for what is evaluated here and now. It is rounded down
/// as they are, so that no sample looks younger than it is.
inline ServerClock clock_of_scrapes(const scrape::ScrapeClock& clock, TimePoint now) noexcept {
    const samples::ServerTime evaluated = clock.at(now);
    return {evaluated, clock.moment(evaluated)};
}

} // namespace wva_metrics::detail
