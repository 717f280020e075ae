// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/observer/events.hpp"
#include "wva_metrics/source.hpp"

#include <boost/config.hpp>

#include <exception>

namespace wva_metrics::detail {

/// Visits the entry of a `KeyPlace` or `CellPlace` in a cache: calls `use(entry, source)` if it is a
/// fresh hit, and nothing otherwise.
///
/// A class, because there is no portable way to inline a lambda by force. It can be called through a
/// reference to const and be copied, as caches of users may do.
template <typename Data, typename Place, typename Use>
struct HitVisitor {
    Data& data;
    const Place& place;
    TimePoint at;
    const Use& use;
    bool& is_fresh;
    /// What `use` threw.
    std::exception_ptr& thrown;

    BOOST_FORCEINLINE void operator()(const CacheEntry& entry) const {
        is_fresh = entry.is_fresh(at);
        if (!is_fresh)
            return;
        entry.mark_used(at);
        data.notify(events::Hit{place.key(), entry.age(at)});
        try {
            use(entry, Source::cache);
        } catch (...) { // Not a failure of the cache.
            thrown = std::current_exception();
        }
    }
};

} // namespace wva_metrics::detail
