// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/collector/detail/overdue_calls.hpp"
#include "wva_metrics/collector/detail/target.hpp"
#include "wva_metrics/error.hpp"

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// An entry for a caller, and where it came from.
struct Answer {
    CacheEntryPtr entry;
    Source source;
    /// Why the last good entry is served; only with `Source::stale_on_error`.
    std::optional<Error> error{};
};

/// A caller that waits for a flight.
class Waiter {
public:
    virtual ~Waiter() = default;
    /// Delivers the answer on the caller's own executor. Call at most once, with no lock held.
    virtual void complete(const Result<Answer>& answer) noexcept = 0;

    /// Served instead of an error; null if there is none, if it is too old, or if it says that
    /// nothing is there.
    CacheEntryPtr last_good;
    /// The cached entry for the same target, also if it may not be served; may be null.
    CacheEntryPtr previous;
    /// The flight it waits for. Guarded by the collector's mutex.
    std::weak_ptr<struct Flight> flight;
    /// Its place in `Flight::waiters`, so that it can leave without a search. Guarded likewise.
    std::size_t place = 0;
};

using WaiterPtr = std::shared_ptr<Waiter>;
using FlightPtr = std::shared_ptr<struct Flight>;

/// One fetch of one target, and all callers that wait for it.
struct Flight {
    Flight(TargetPtr what, CacheEntryPtr before, TimePoint until)
        : target(std::move(what)), key_hash(CacheKeyHash()(key_of(*target))),
          previous(std::move(before)), deadline(until) {}

    /// Valid as long as the target.
    CacheKeyView key() const noexcept { return key_of(*target); }

    const TargetPtr target;
    /// That of `key()`.
    const std::size_t key_hash;
    /// The entry before this fetch; readings that the backend fails to return are carried over from
    /// it. May be null. Only who settles the flight changes it, after that.
    CacheEntryPtr previous;
    /// `call_timeout` after it was opened. A flight that is still open then is dead: nobody joins it.
    const TimePoint deadline;

    /// Guarded by the collector's mutex.
    std::vector<WaiterPtr> waiters;
    /// Its place among the open flights. Guarded likewise.
    std::size_t place = std::numeric_limits<std::size_t>::max();
    /// The call of the backend that is to answer it. Guarded likewise.
    std::weak_ptr<OverdueCalls::Call> call;
    /// Invalidated or untracked meanwhile: waiters get the answer, but it is not cached. Guarded by
    /// the collector's mutex.
    bool discarded = false;
};

/// Whether a new caller may join an open flight: it is not overdue.
inline bool is_in_flight(const Flight& flight, TimePoint now) noexcept {
    return now <= flight.deadline;
}

} // namespace wva_metrics::detail
