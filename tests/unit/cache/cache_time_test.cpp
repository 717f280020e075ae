// SPDX-License-Identifier: Apache-2.0
//
// The first and the last points in time, and durations that mean for ever.
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

const std::vector<TimePoint> extreme_times = {TimePoint::min(),      TimePoint::min() + 1s,
                                              TimePoint{},           TimePoint(1h),
                                              TimePoint::max() - 1s, TimePoint::max()};

CacheEntry entry_from(TimePoint collected_at, TimePoint until = TimePoint::max()) {
    return {Availability{}, collected_at, until, until};
}

} // namespace

TEST_CASE("the age of an entry never overflows and is never negative") {
    for (const TimePoint collected_at : extreme_times)
        for (const TimePoint now : extreme_times) {
            const Duration age = entry_from(collected_at).age(now);
            CHECK(age >= Duration::zero());
            if (now <= collected_at)
                CHECK(age == Duration::zero());
            else if (age < Duration::max())
                CHECK(collected_at + age == now);
        }
    CHECK(entry_from(TimePoint::min()).age(TimePoint::max()) == Duration::max());
    CHECK(entry_from(TimePoint::min()).age(TimePoint(-1s)) == Duration::max() - 1s + Duration(1));
    CHECK(entry_from(TimePoint(1h)).age(TimePoint(2h)) == 1h);
}

TEST_CASE("an entry can be used at any time") {
    for (const TimePoint first : extreme_times)
        for (const TimePoint second : extreme_times) {
            const CacheEntry entry = entry_from(first);
            entry.mark_used(first);
            const TimePoint before = entry.last_used();
            entry.mark_used(second);
            CHECK(entry.last_used() >= before);
        }
}

TEMPLATE_TEST_CASE("an entry that is kept for ever is a hit at any time, and never expires", "",
                   MemoryCache, ShardedCache) {
    TestType cache;
    const CacheKeyView for_ever = optimizer_key("ns", "for ever");
    const CacheKeyView ended = optimizer_key("ns", "ended");
    for (const TimePoint now : extreme_times) {
        cache.insert_or_assign(for_ever, std::make_shared<const CacheEntry>(Availability{}, now,
                                                                            TimePoint::max(),
                                                                            TimePoint::max()));
        for (const TimePoint later : extreme_times) {
            CHECK(cache.erase_expired(later) == 0);
            CHECK(cache.find(for_ever, later) != nullptr);
        }
    }
    CHECK(cache.stats().stale_hits == 0);
    for (const TimePoint until : extreme_times) {
        if (until == TimePoint::max())
            continue;
        cache.insert_or_assign(ended, std::make_shared<const CacheEntry>(
                                          Availability{}, TimePoint::min(), until, until));
        CHECK(cache.erase_expired(until) == 0);
        CHECK(cache.find(ended, until) != nullptr);
        CHECK(cache.erase_expired(until + Duration(1)) == 1);
        CHECK(cache.find(ended, until) == nullptr);
    }
    CHECK(cache.size() == 1);
}
