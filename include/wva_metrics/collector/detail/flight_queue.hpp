// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/make_room.hpp"

#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The flights that wait to be sent together, and those that were replaced because they are overdue.
/// Not thread-safe.
class FlightQueue {
public:
    /// After this the next `push` does not throw.
    void make_room() { detail::make_room(queued_); }
    void push(FlightPtr flight) { queued_.push_back(std::move(flight)); }
    /// The flight that is being replaced; may be null. If it is overdue, it is not sent any more, and
    /// has to be settled.
    void push_if_overdue(const FlightPtr& flight, TimePoint now) {
        if (!flight || is_in_flight(*flight, now))
            return;
        overdue_.push_back(flight);
        std::erase(queued_, flight);
    }

    /// Whether something is queued that nobody will send.
    bool must_send() const noexcept {
        return !is_send_posted_ && !(queued_.empty() && overdue_.empty());
    }
    void note_send_posted() noexcept { is_send_posted_ = true; }

    /// Removes and returns the flights that were queued since the last call.
    std::vector<FlightPtr> take() noexcept {
        is_send_posted_ = false;
        return std::exchange(queued_, {});
    }
    std::vector<FlightPtr> take_overdue() noexcept { return std::exchange(overdue_, {}); }

    void clear() noexcept {
        queued_.clear();
        overdue_.clear();
    }

private:
    std::vector<FlightPtr> queued_;
    std::vector<FlightPtr> overdue_;
    bool is_send_posted_ = false;
};

} // namespace wva_metrics::detail
